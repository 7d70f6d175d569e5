"""Named loads for the test app: `python -m load mixed --tasks 10000` returns when every task is done.

Progress goes to stderr. The last line of stdout is JSON: {"load", "expected": {task id: state}, "seconds"}.
"""

import argparse
import json
import random
import sys
import time
from datetime import datetime, timedelta, timezone

from celery import chain, chord, group
from celery.result import AsyncResult

import app as shop

LOADS = {}


def load(function):
    LOADS[function.__name__.replace('_', '-')] = function
    return function


class Sender:
    """Collects what was sent and the state that each task must end in."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.expected = {}

    def expect(self, result, state='SUCCESS'):
        self.expected[result.id] = state
        return result

    def expect_all(self, result, state='SUCCESS'):
        """A result with all its parents and children (chains, groups, chords)."""
        while result is not None:
            for one in getattr(result, 'results', None) or [result]:
                self.expect(one, state)
            result = result.parent


@load
def simple(send, n):
    for i in range(n):
        send.expect(shop.add.delay(i, i + 1))


@load
def failing(send, n):
    for i in range(n):
        send.expect(shop.fail.delay('order %d has no address' % i), 'FAILURE')


@load
def retrying(send, n):
    for i in range(n):
        if i % 5 == 4:
            send.expect(shop.hopeless.delay(), 'FAILURE')
        else:
            send.expect(shop.flaky.delay(1 + i % 2))


@load
def chains(send, n):
    for i in range(max(1, n // 3)):
        send.expect_all(chain(shop.add.s(i, 1), shop.add.s(10), shop.add.s(100)).apply_async())


@load
def groups(send, n):
    for i in range(max(1, n // 5)):
        send.expect_all(group(shop.add.s(i, j) for j in range(5)).apply_async())


@load
def chords(send, n):
    for i in range(max(1, n // 4)):
        send.expect_all(chord([shop.add.s(i, j) for j in range(3)])(shop.total.s()))


@load
def failing_chords(send, n):
    """A header of which one member fails, so that the body never runs; each is one workflow below a task of its own."""
    for _ in range(max(1, n // 4)):
        send.expect(shop.start_failing_chord.delay())


@load
def traced(send, n):
    """Messages with the trace context of their publisher, which the worker tells in its events."""
    for i in range(n):
        headers = {'traceparent': '00-%032x-%016x-01' % (0xA0000 + i, 0xB0000 + i)}
        send.expect(shop.traced.apply_async(headers=headers))


@load
def storm(send, n):
    """The shortest tasks, sent as fast as the broker takes them over one connection."""
    with shop.app.producer_pool.acquire(block=True) as producer:
        for i in range(n):
            send.expect(shop.add.apply_async((i, 1), producer=producer))


@load
def progress_events(send, n):
    for i in range(n):
        send.expect(shop.progress.delay(1 + i % 4))


@load
def big_args(send, n):
    for i in range(n):
        text = 'x' * send.random.choice((1_000, 50_000, 400_000))
        send.expect(shop.echo.delay(text, i, nested={'text': text[:100], 'list': list(range(50))}))


@load
def unicode(send, n):
    texts = ('Grüße an Zoë', 'ключ "ü"\nsecond line', '注文 ☃ 🎉', "it's <b>&amp;</b> \\ back", 'tab\tand\x01control')
    for i in range(n):
        send.expect(shop.send_email.delay('kundin%d@example.org' % i, subject=texts[i % len(texts)], body='…' * i))


@load
def ignored(send, n):
    """No event tells of their end: not waited for."""
    for _ in range(n):
        shop.ignored.apply_async()


@load
def rejected(send, n):
    for _ in range(n):
        shop.rejected.apply_async()


@load
def expired(send, n):
    for i in range(n):
        send.expect(shop.add.apply_async((i, 1), expires=datetime.now(timezone.utc) - timedelta(seconds=1)), 'REVOKED')


@load
def revoked(send, n):
    """Revoked while they wait for their eta; the worker drops them then."""
    results = [shop.add.apply_async((i, 1), countdown=2) for i in range(n)]
    time.sleep(0.5)
    shop.app.control.revoke([result.id for result in results])
    for result in results:
        send.expect(result, 'REVOKED')


@load
def emails(send, n):
    for i in range(n):
        send.expect(shop.send_email.delay('a%d@example.org' % i, 'Order %d' % i, body='y' * (i % 300)))


MIX = (
    (simple, 39.5), (emails, 15), (failing, 5), (retrying, 5), (chains, 9), (groups, 10), (chords, 8),
    (progress_events, 3), (unicode, 2), (big_args, 0.5), (ignored, 1),
    (rejected, 1), (expired, 0.5), (revoked, 0.5),
)  # fmt: skip


@load
def mixed(send, n):
    """Everything above in small portions, interleaved."""
    portions = []
    # RabbitMQ drops an expired message that no consumer has room for: no worker, no event and no result tells of it.
    drops_expired = shop.app.connection_for_write().transport.driver_type == 'amqp'
    for part, percent in MIX:
        if part is expired and drops_expired:
            continue
        left = max(1, round(n * percent / 100))
        while left > 0:
            portions.append((part, min(left, 30)))
            left -= 30
    send.random.shuffle(portions)
    for part, size in portions:
        part(send, size)


def wait(expected, timeout):
    """Asks the result backend until every task is in its expected state; returns those that are not."""
    deadline = time.monotonic() + timeout
    left = dict(expected)
    while left and time.monotonic() < deadline:
        ids = list(left)
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            keys = [shop.app.backend.get_key_for_task(task_id) for task_id in part]
            for task_id, meta in zip(part, shop.app.backend.mget(keys)):
                if meta and json.loads(meta)['status'] == left[task_id]:
                    del left[task_id]
        print('%d of %d done' % (len(expected) - len(left), len(expected)), file=sys.stderr, flush=True)
        if left:
            time.sleep(0.2)
    return {task_id: AsyncResult(task_id, app=shop.app).state for task_id in left}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('load', choices=sorted(LOADS))
    parser.add_argument('--tasks', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--timeout', type=float, default=240, help='seconds to wait for the end of all tasks')
    options = parser.parse_args()
    started = time.monotonic()
    send = Sender(options.seed)
    LOADS[options.load](send, options.tasks)
    print('%d tasks sent in %.1f s' % (len(send.expected), time.monotonic() - started), file=sys.stderr, flush=True)
    missing = wait(send.expected, options.timeout)
    if missing:
        sys.exit('not done: %s' % json.dumps(dict(list(missing.items())[:20])))
    print(json.dumps({'load': options.load, 'expected': send.expected, 'seconds': time.monotonic() - started}))


if __name__ == '__main__':
    main()
