"""The Celery app of the tests: small tasks that cause every event. Broker and backend come from the environment."""

import os
import time

from celery import Celery, Task, chord
from celery.exceptions import Ignore, Reject
from celery.worker.request import Request
from kombu import Queue

app = Celery(
    'shop',
    broker=os.environ.get('UMBEL_APP_BROKER', 'redis://127.0.0.1:6379/0'),
    backend=os.environ.get('UMBEL_APP_BACKEND', os.environ.get('UMBEL_APP_BROKER', 'redis://127.0.0.1:6379/0')),
)
app.conf.update(
    broker_connection_retry_on_startup=True,
    event_exchange=os.environ.get('UMBEL_APP_EVENT_EXCHANGE', 'celeryev'),
    result_expires=3600,
    task_default_queue='celery',
    task_queues=[Queue('celery'), Queue('emails'), Queue('reports')],
    task_send_sent_event=True,
    task_track_started=True,
    worker_prefetch_multiplier=4,
)


@app.task(name='shop.add')
def add(x, y):
    return x + y


@app.task(name='shop.total')
def total(numbers):
    return sum(numbers)


@app.task(name='shop.echo')
def echo(*args, **kwargs):
    return {'args': args, 'kwargs': kwargs}


@app.task(name='shop.sleep')
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name='shop.sleep_late', acks_late=True)
def sleep_late(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name='shop.fail')
def fail(message):
    raise ValueError(message)


# A retry at once may end on another worker before this one has stored RETRY, which then stays the result for ever.
RETRY_DELAY = 0.25


@app.task(name='shop.flaky', bind=True, max_retries=5)
def flaky(self, succeed_on, countdown=RETRY_DELAY):
    """Retries until its attempt number `succeed_on`."""
    if self.request.retries < succeed_on:
        raise self.retry(exc=ConnectionError('attempt %d: peer went away' % self.request.retries), countdown=countdown)
    return 'after %d retries' % self.request.retries


@app.task(name='shop.hopeless', bind=True, max_retries=1)
def hopeless(self):
    raise self.retry(exc=TimeoutError('never works'), countdown=RETRY_DELAY)


@app.task(name='shop.progress', bind=True)
def progress(self, steps):
    for step in range(steps):
        self.send_event('task-progress', done=step + 1, of=steps, note='half-way ☃')
    return steps


@app.task(name='shop.ignored')
def ignored():
    raise Ignore()


@app.task(name='shop.rejected', acks_late=True)
def rejected():
    raise Reject('not for me', requeue=False)


@app.task(name='shop.send_email', queue='emails')
def send_email(to, subject, body=''):
    return {'to': to, 'subject': subject, 'bytes': len(body)}


@app.task(name='shop.start_failing_chord')
def start_failing_chord():
    """One member succeeds, one after a retry, one fails: the body never runs."""
    chord([add.s(1, 2), flaky.s(1), fail.s('order 7 has no address')])(total.s())


class TracedRequest(Request):
    """Every event of the worker about the task carries the trace context of its message."""

    def send_event(self, type, **fields):
        super().send_event(type, traceparent=self._request_dict.get('traceparent'), **fields)


class TracedTask(Task):
    Request = TracedRequest


@app.task(name='shop.traced', base=TracedTask)
def traced():
    return 'traced'
