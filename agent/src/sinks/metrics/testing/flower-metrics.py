"""Feeds the events on stdin, one JSON list, to Flower's own EventsState and prints its metrics.

The one thing changed is what the agent changes on purpose: the gauge of prefetched tasks never falls below 0.
"""

import json
import sys

import flower.options  # noqa: F401 (defines the options that flower.events reads)
from flower.events import EventsState, get_prometheus_metrics
from prometheus_client import generate_latest
from prometheus_client.metrics import Gauge

below_zero = 0


class Clamped:
    def __init__(self, child):
        self.child = child

    def inc(self):
        self.child.inc()

    def dec(self):
        global below_zero
        if self.child._value.get() > 0:
            self.child.dec()
        else:
            below_zero += 1


gauge = get_prometheus_metrics().number_of_prefetched_tasks
labels = gauge.labels
gauge.labels = lambda *values: Clamped(labels(*values))
assert isinstance(gauge, Gauge)

state = EventsState()
for event in json.load(sys.stdin):
    event["local_received"] = event["timestamp"]
    state.event(event)
sys.stdout.write(generate_latest().decode())
