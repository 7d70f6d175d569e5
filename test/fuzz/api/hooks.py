"""What no JSON schema can say of a request; without it valid data is refused and the check for that says nothing."""

import schemathesis

# A cursor is good for one list alone, a search has a grammar of its own, and a wait would only take time.
OPAQUE = ("cursor", "search", "wait")
# The lower end of a range must not be above the upper one.
LOWER = ("from", "receivedFrom", "runtimeMin")


@schemathesis.hook
def map_case(context, case):
    if case.meta is None or case.meta.generation.mode.is_negative:
        return case
    if isinstance(case.query, dict):
        case.query = {name: few(value) for name, value in without(case.query).items()}
    if isinstance(case.body, dict):
        case.body = possible(case.body)
    return case


@schemathesis.hook
def filter_case(context, case):
    # Refused wherever it stands in a body.
    return "__proto__" not in repr(case.body)


def without(members):
    return {name: value for name, value in members.items() if name not in (*OPAQUE, *LOWER)}


def few(value):
    """Commas part the entries of a list, which would then have more of them than its schema allows."""
    if not isinstance(value, list):
        return value
    return [entry.split(",")[0] if isinstance(entry, str) else entry for entry in value]


def possible(body):
    body = dict(body)
    if isinstance(body.get("filter"), dict):
        body["filter"] = without(body["filter"]) or {"states": ["FAILURE"]}
    if isinstance(body.get("target"), dict):
        # Not every expression is one that Python and JavaScript read alike.
        body["target"] = {name: value for name, value in body["target"].items() if name != "matcher"}
    if isinstance(body.get("arguments"), dict):
        body["arguments"] = ordered(dict(body["arguments"]))
    return body


def ordered(arguments):
    """Of `min` and `max`, and of `soft` and `hard`, the lower one first."""
    for lower, upper in (("min", "max"), ("soft", "hard")):
        values = [arguments.get(lower), arguments.get(upper)]
        if all(isinstance(value, (int, float)) for value in values):
            arguments[lower], arguments[upper] = sorted(values)
    return arguments
