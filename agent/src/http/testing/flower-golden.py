"""Asks a real Flower 2.2 what it answers, and writes questions, answers and the tasks behind them.

    python flower-golden.py EVENTS.ndjson > flower-2.2.ndjson

EVENTS.ndjson: a recording of the event exchange, one `{"decoded": event or list of events}` a line.
Needs flower 2.2 and celery 5. `children` is a set in Celery: it is sorted here, so that the answer is one.
"""
import asyncio
import json
import os
import sys

os.environ['TZ'] = 'UTC'
os.environ['FLOWER_UNAUTHENTICATED_API'] = '1'

from celery import Celery
from celery.events.state import Task
from flower.app import Flower
from flower.command import apply_options
from flower.options import default_options
from flower.urls import settings
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

Task._serializable_children = lambda self, value: sorted(task.id for task in self.children)

COLUMNS = {
    'name': str, 'client': str, 'exchange': str, 'routing_key': str, 'root_id': str, 'parent_id': str, 'args': str,
    'kwargs': str, 'result': str, 'exception': str, 'traceback': str, 'eta': str, 'expires': str, 'retries': int,
    'runtime': float, 'sent': float, 'received': float, 'started': float, 'succeeded': float, 'failed': float,
    'retried': float, 'revoked': float, 'rejected': float, 'timestamp': float, 'clock': int,
}
CAMEL = {'routing_key': 'routingKey', 'root_id': 'rootId', 'parent_id': 'parentId'}

ODD = [
    {'type': 'task-received', 'uuid': 'odd-1', 'name': 'odd.types', 'args': [1, 2.5, 'x'], 'kwargs': {'a': None, 'b': [True]},
     'retries': 'two', 'eta': 1795405139, 'expires': None, 'routing_key': ['a', 1e16]},
    {'type': 'task-succeeded', 'uuid': 'odd-1', 'result': {'deep': {'list': [1e-7, 12345678901234, 'é']}}, 'runtime': True},
    {'type': 'task-received', 'uuid': 'odd-2', 'name': 'odd.text', 'args': "('</script>', 'a\"b\\\\c', '\u007f\u0000\u001f')",
     'kwargs': "{'k': 'h\u00e9llo \U0001f600 \ud800 \u2028'}", 'retries': 0},
    {'type': 'task-succeeded', 'uuid': 'odd-2', 'result': "'tab\\t'\t\n\r\b\f", 'runtime': 1e16},
    {'type': 'task-received', 'uuid': 'odd-3/with slash', 'name': 'odd.id', 'args': '()', 'kwargs': '{}', 'retries': 0},
    {'type': 'task-succeeded', 'uuid': 'odd-3/with slash', 'result': 'None', 'runtime': 5e-324},
    {'type': 'task-started', 'uuid': 'odd-4'},
    {'type': 'task-succeeded', 'uuid': 'odd-5', 'name': 'ODD.Case', 'runtime': 2.0, 'result': '1'},
    {'type': 'task-failed', 'uuid': 'odd-6', 'exception': 'ValueError()', 'traceback': 'Traceback\n  x'},
    {'type': 'task-my-progress', 'uuid': 'odd-7', 'name': 'odd.custom', 'runtime': 0.00001},
    {'type': 'task-succeeded', 'uuid': 'odd-8', 'name': 'odd.runtime', 'runtime': 123456789.0},
]

ONE = 'odd-2'
QUESTIONS = [
    'GET /api/tasks', 'GET /api/tasks?limit=5', 'GET /api/tasks?limit=0', 'GET /api/tasks?limit=-3', 'GET /api/tasks?limit=+2&offset=1',
    'GET /api/tasks?limit=abc', 'GET /api/tasks?limit=', 'GET /api/tasks?limit=1.5', 'GET /api/tasks?offset=x', 'GET /api/tasks?offset=-5&limit=1',
    'GET /api/tasks?limit=1_0', 'GET /api/tasks?limit=%202%20', 'GET /api/tasks?limit=3&limit=1', 'GET /api/tasks?offset=100000',
    'GET /api/tasks?sort_by=name&limit=10', 'GET /api/tasks?sort_by=-name&limit=10', 'GET /api/tasks?sort_by=state',
    'GET /api/tasks?sort_by=--received&limit=4', 'GET /api/tasks?sort_by=started&limit=30', 'GET /api/tasks?sort_by=-started&offset=3&limit=3',
    'GET /api/tasks?sort_by=runtime', 'GET /api/tasks?sort_by=-', 'GET /api/tasks?state=success&limit=3', 'GET /api/tasks?state=All&limit=1',
    'GET /api/tasks?state=all', 'GET /api/tasks?state=&limit=1', 'GET /api/tasks?state=PENDING', 'GET /api/tasks?state=my-progress',
    'GET /api/tasks?taskname=odd.case', 'GET /api/tasks?taskname=nope', 'GET /api/tasks?workername=W1@fixture&limit=2',
    'GET /api/tasks?workername=All&taskname=All&limit=1', 'GET /api/tasks?received_start=2026-11-23',
    'GET /api/tasks?received_end=2026-13-01%2000:00', 'GET /api/tasks?received_start=2026-02-30%2000:00',
    'GET /api/tasks?received_start=2026-1-2%203:4&limit=2', 'GET /api/tasks?received_start=2126-01-01%2000:00',
    'GET /api/tasks?received_start=&received_end=&limit=1', 'GET /api/tasks?received_end=1990-01-01%2000:00&sort_by=name',
    'GET /api/tasks?search=ab', 'GET /api/tasks?search=odd.custom', 'GET /api/tasks?search=state:FAILURE%20name:odd', 'GET /api/tasks?search=',
    'GET /api/tasks?unknown=1&limit=1', 'HEAD /api/tasks', 'POST /api/tasks', 'PUT /api/tasks', 'DELETE /api/task/types', 'PATCH /api/workers',
    'OPTIONS /api/tasks', 'OPTIONS /api/task/info/x', 'OPTIONS /healthcheck', 'HEAD /healthcheck', 'POST /healthcheck', 'POST /metrics',
    'GET /api/task/info/odd-1', 'GET /api/task/info/' + ONE, 'GET /api/task/info/odd-3/with%20slash', 'GET /api/task/info/odd-3%2Fwith%20slash',
    'GET /api/task/info/odd-4', 'GET /api/task/info/nope', 'GET /api/task/info/', 'GET /api/task/info/a+b', 'GET /api/task/info/%C3%A9', 'HEAD /api/task/info/odd-1',
    'GET /api/task/types', 'GET /healthcheck', 'GET /api/workers?workername=nope', 'GET /api/workers?status=maybe', 'GET /api/workers?refresh=2',
]


def record(task):
    out, oddities = {'taskId': task.uuid, 'state': task.state, 'worker': task.worker.hostname if task.worker else None}, {}
    for column, kind in COLUMNS.items():
        value = getattr(task, column)
        fits = value is None or type(value) is kind
        out[CAMEL.get(column, column)] = value if fits else None
        if not fits:
            oddities[column] = value
    return {**out, 'queue': None, 'pid': None, 'exceptionType': None, 'oddities': oddities or None}


def feed(state, path):
    n = 0
    with open(path) as lines:
        for line in lines:
            decoded = json.loads(line)['decoded'] or []
            for event in decoded if isinstance(decoded, list) else [decoded]:
                if 'hostname' in event and isinstance(event.get('timestamp'), float) and event['timestamp'] < 1e11:
                    if event['type'].startswith('task-') and not event.get('uuid'):
                        continue
                    state.event(dict(event, local_received=event['timestamp']))
                    n += 1
    for i, event in enumerate(ODD):
        at = 1795405139.0 + i + (0.25 if i % 2 else 0.0)
        state.event(dict(event, hostname='w1@fixture', timestamp=at, local_received=at, clock=900 + i, pid=7))
    return n


async def ask(port, question):
    method, url = question.split(' ', 1)
    answer = await AsyncHTTPClient().fetch(
        f'http://127.0.0.1:{port}{url}', method=method, raise_error=False, allow_nonstandard_methods=True,
        headers={'X-Forwarded-For': ''})
    header = answer.headers.get
    return {'method': method, 'url': url, 'status': answer.code, 'type': header('Content-Type'), 'etag': header('Etag'),
            'body': answer.body.decode()}


async def main():
    apply_options('flower', [])
    app = Flower(options=default_options, capp=Celery(), io_loop=IOLoop.current(), **settings)
    state = app.events.state
    feed(state, sys.argv[1])
    socket, port = bind_unused_port()
    HTTPServer(app).add_socket(socket)
    answers = [await ask(port, question) for question in QUESTIONS]
    info = next(a for a in answers if a['url'].endswith(ONE) and a['status'] == 200)
    etag_check = await AsyncHTTPClient().fetch(
        f"http://127.0.0.1:{port}{info['url']}", raise_error=False, headers={'If-None-Match': 'W/"x", ' + info['etag']})
    assert etag_check.code == 304, etag_check.code
    for task in state.tasks.values():
        print(json.dumps({'task': record(task)}))
    for answer in answers:
        if answer['etag'] and len(answer['body']) > 4000:
            answer['body'] = None  # its Etag is its sha1
        print(json.dumps({'answer': answer}))


asyncio.run(main())
