"""Runs celery.events.state.State over streams of events, the way Celery's monitors do.

stdin: one stream a line, {"events": [{"body": "<JSON text of one event>", "received": <epoch seconds>}, ...]}
stdout: one answer a line, {"refused": [<index of an event that Celery fails on>, ...], "tasks": [...], "workers": [...]}

An event that makes Celery raise leaves its state half changed. Such an event is named in "refused", and the state is
built anew without it: the answer is what Celery makes of the events that it can take.
"""
import json
import logging
import sys

from celery.events.state import State, Task, Worker

logging.disable(logging.CRITICAL)

TASK_FIELDS = [f for f in Task._fields if f not in ('root', 'parent', 'children')] + ['pid']


def feed(state, event):
    fields = json.loads(event['body'])
    # Celery's receiver makes up a clock where there is none; here that is 0.
    fields.setdefault('clock', 0)
    fields['local_received'] = event['received']
    state.event(fields)


def run(events):
    """Returns the state and the indices of the refused events."""
    refused = []
    state = State(callback=None)
    for index, event in enumerate(events):
        try:
            feed(state, event)
        except Exception:
            refused.append(index)
            state = State(callback=None)
            for earlier in range(index):
                if earlier not in refused:
                    feed(state, events[earlier])
    return state, refused


def task_row(task):
    row = {name: getattr(task, name, None) for name in TASK_FIELDS}
    if isinstance(task.worker, Worker):
        row['worker'] = task.worker.hostname
    row['ready'] = task.ready if isinstance(task.state, str) else False
    return row


def worker_row(worker):
    row = {name: getattr(worker, name) for name in Worker._fields}
    freq = worker.freq
    known = worker.heartbeats and type(freq) in (int, float) and 0 < freq < 2**53
    row['alive_until'] = worker.heartbeat_expires if known else None
    return row


for line in sys.stdin:
    state, refused = run(json.loads(line)['events'])
    print(json.dumps({
        'refused': refused,
        'tasks': [task_row(task) for task in state.tasks.values()],
        'workers': [worker_row(worker) for worker in state.workers.values()],
    }))
