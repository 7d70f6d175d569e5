"""A worker, beat or a never ending load for the demo: `python demo.py worker -Q celery | beat | load | check`.

The URLs of broker and result backend come from files: UMBEL_APP_BROKER_FILE, UMBEL_APP_BACKEND_FILE.
"""

import os
import random
import sys
import time

for name in ('UMBEL_APP_BROKER', 'UMBEL_APP_BACKEND'):
    path = os.environ.get(name + '_FILE')
    if path:
        with open(path, encoding='utf8') as file:
            os.environ[name] = file.read().strip()

import app as shop  # noqa: E402 (it reads the variables)
import load  # noqa: E402

app = shop.app
app.conf.update(
    beat_schedule={
        'add-every-10-s': {'task': 'shop.add', 'schedule': 10.0, 'args': (1, 2)},
        'report-every-minute': {
            'task': 'shop.sleep',
            'schedule': 60.0,
            'args': (5,),
            'options': {'queue': 'reports'},
        },
    },
    beat_schedule_filename='/tmp/celerybeat-schedule',
    result_extended=True,
)

# Weights of what comes next. `storm` floods: the queue grows, and its alerts may fire.
MIX = {
    'simple': 40,
    'chains': 12,
    'groups': 8,
    'chords': 8,
    'retrying': 8,
    'failing': 6,
    'progress-events': 5,
    'unicode': 5,
    'expired': 2,
    'rejected': 1,
    'storm': 2,
}
FLOOD_TASKS = 5_000


def run_load():
    """Sends for ever, some tasks a second, and now and then a flood. Waits for nothing."""
    sender = load.Sender(None)
    while True:
        name = random.choices(list(MIX), weights=list(MIX.values()))[0]
        count = FLOOD_TASKS if name == 'storm' else random.randint(1, 12)
        try:
            load.LOADS[name](sender, count)
        except Exception as error:  # the broker may be away: that is part of a demo
            print('not sent: %r' % error, flush=True)
        sender.expected.clear()
        time.sleep(random.uniform(0.2, 2.0))


def check():
    """Health of the worker in this container: does it answer a ping?"""
    answers = app.control.ping(destination=[os.environ['WORKER_NAME']], timeout=5)
    sys.exit(0 if answers else 1)


def main(task, arguments):
    if task == 'load':
        run_load()
    elif task == 'check':
        check()
    elif task == 'beat':
        app.start(['beat', '-l', 'INFO', '--pidfile=', *arguments])
    elif task == 'worker':
        name = os.environ['WORKER_NAME']
        app.start(['worker', '-E', '-n', name, '-c', '2', '-l', 'INFO', '--without-gossip', '--without-mingle', *arguments])
    else:
        sys.exit('what to run? ' + __doc__)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '', sys.argv[2:])
