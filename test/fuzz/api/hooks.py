"""What no JSON schema can say of a request; without it valid data is refused and the check for that says nothing."""

import schemathesis

# A cursor is good for one list alone, a search has a grammar of its own, and a wait would only take time.
OPAQUE = ("cursor", "search", "wait")
# The lower end of a range must not be above the upper one.
LOWER = ("from", "receivedFrom", "runtimeMin")


@schemathesis.hook
def map_query(context, query):
    if isinstance(query, dict):
        for name in (*OPAQUE, *LOWER):
            query.pop(name, None)
    return query


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    filter_ = body.get("filter")
    if isinstance(filter_, dict):
        for name in (*OPAQUE, *LOWER):
            filter_.pop(name, None)
        filter_ = filter_ or {"states": ["FAILURE"]}
        body["filter"] = filter_
    target = body.get("target")
    if isinstance(target, dict):
        # Not every expression is one that Python and JavaScript read alike.
        target.pop("matcher", None)
    arguments = body.get("arguments")
    if isinstance(arguments, dict):
        arguments.pop("soft", None)
        if isinstance(arguments.get("min"), int) and isinstance(arguments.get("max"), int):
            arguments["max"] = max(arguments["min"], arguments["max"])
    return body
