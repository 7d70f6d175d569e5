import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../core/events/decode.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { RawMessage } from '../../core/wire/message.ts';
import { DemoSimulation } from './simulation.ts';

const MINUTES = 25;
const START_MS = Date.UTC(2026, 2, 3, 10, 0, 0);
const RECORDING = join(import.meta.dirname, '../../../../test/recordings/celery-5.7-redis/events.ndjson');

function live(
  seed: number,
  seconds: number,
  tasksPerSecond = 5,
): { messages: RawMessage[]; simulation: DemoSimulation } {
  const simulation = new DemoSimulation({ startMs: START_MS, seed, tasksPerSecond });
  const messages: RawMessage[] = [];
  for (let ms = 0; ms <= seconds * 1000; ms += 100) messages.push(...simulation.step(START_MS + ms));
  return { messages, simulation };
}

function eventsOf(messages: readonly RawMessage[]): CeleryEvent[] {
  return messages.flatMap((message) => {
    const { events, rejects } = decodeMessage(message);
    if (rejects.length > 0) throw new Error(JSON.stringify(rejects));
    return events;
  });
}

/** Event type → the field sets that real Celery was seen to send. */
function recordedFields(): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  for (const line of readFileSync(RECORDING, 'utf8').trim().split('\n')) {
    const { decoded } = JSON.parse(line) as { decoded: unknown };
    for (const event of Array.isArray(decoded) ? (decoded as unknown[]) : [decoded]) {
      if (typeof event !== 'object' || event === null || !('type' in event)) continue;
      const type = String(event.type);
      seen.set(type, (seen.get(type) ?? new Set()).add(Object.keys(event).sort().join()));
    }
  }
  return seen;
}

let messages: RawMessage[];
let events: CeleryEvent[];
beforeAll(() => {
  messages = live(7, MINUTES * 60).messages;
  events = eventsOf(messages);
});

describe('the simulated cluster', () => {
  it('depends on its seed alone', () => {
    const bytes = (seed: number): string =>
      live(seed, 30)
        .messages.map((message) => message.payload.toString())
        .join();
    expect(bytes(3)).toBe(bytes(3));
    expect(bytes(3)).not.toBe(bytes(4));
  });

  it('sends the fields that Celery 5.7 was recorded to send, in the same envelope', () => {
    const recorded = recordedFields();
    const unseen = events.filter((event) => !recorded.get(event.type)?.has(Object.keys(event.fields).sort().join()));
    expect(unseen).toEqual([]);
    const [line = ''] = readFileSync(RECORDING, 'utf8').split('\n');
    const real = JSON.parse(
      Buffer.from((JSON.parse(line) as { payload_b64: string }).payload_b64, 'base64').toString(),
    ) as {
      properties: object;
    };
    const ours = JSON.parse(messages[0]?.payload.toString() ?? '') as { properties: object };
    expect(Object.keys(ours)).toEqual(Object.keys(real));
    expect(Object.keys(ours.properties)).toEqual(Object.keys(real.properties));
  });

  it('shows every kind of event', () => {
    const task = 'sent received started succeeded failed retried revoked rejected progress'
      .split(' ')
      .map((t) => `task-${t}`);
    const worker = ['worker-online', 'worker-heartbeat', 'worker-offline'];
    expect(new Set(events.map((event) => event.type))).toEqual(new Set([...task, ...worker]));
    expect(messages.some((message) => message.routingKey === 'task.multi')).toBe(true);
    expect(messages.every((message) => message.receivedMs >= START_MS)).toBe(true);
  });

  it('sends something within the first second', () => {
    const types = eventsOf(live(1, 1).messages).map((event) => event.type);
    expect(types).toContain('worker-online');
    expect(types).toContain('task-sent');
  });

  it('keeps its rate and finishes what it sends', () => {
    const sent = events.filter((event) => event.type === 'task-sent').length;
    expect(sent / (MINUTES * 60)).toBeGreaterThan(4);
    expect(sent / (MINUTES * 60)).toBeLessThan(6.5);
    const { simulation } = live(7, MINUTES * 60);
    expect(simulation.tasks.size).toBeLessThan(200);
    const fast = eventsOf(live(7, 60, 100).messages).filter((event) => event.type === 'task-sent').length;
    expect(fast / 60).toBeGreaterThan(70);
  });

  it('lets a task go its way: sent, received, started, finished, by one worker, clocks rising', () => {
    const clocks = new Map<string, number>();
    const backwards = events.filter((event) => {
      // A heartbeat overtakes the task events that wait in the batch, as in Celery.
      const process = `${event.hostname}/${String(event.fields['pid'])}/${event.group}`;
      const before = clocks.get(process) ?? 0;
      clocks.set(process, event.clock);
      return event.clock <= before;
    });
    expect(backwards).toEqual([]);
    const done = events.find((event) => event.type === 'task-succeeded')?.uuid;
    const story = events.filter((event) => event.uuid === done);
    expect(story.map((event) => event.type)).toEqual(['task-sent', 'task-received', 'task-started', 'task-succeeded']);
    expect(new Set(story.slice(1).map((event) => event.hostname)).size).toBe(1);
    const times = story.map((event) => event.timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('has workflows under one root, with parents', () => {
    const merge = events.find((event) => event.type === 'task-sent' && event.fields['name'] === 'shop.reports.merge');
    const family = events.filter(
      (event) =>
        event.type === 'task-sent' &&
        event.fields['root_id'] === merge?.fields['root_id'] &&
        event.fields['retries'] === 0,
    );
    expect(family.map((event) => event.fields['name'])).toEqual([
      'shop.reports.weekly_regions',
      ...Array.from({ length: 4 }, () => 'shop.reports.aggregate_region'),
      'shop.reports.merge',
    ]);
    expect(family[1]?.fields['parent_id']).toBe(family[0]?.uuid);
  });

  it('has bursts of failures, and a worker that goes away and comes back', () => {
    const failures = new Map<number, number>();
    for (const event of events.filter(({ type }) => type === 'task-failed' || type === 'task-retried')) {
      const minute = Math.floor(event.timestamp / 60);
      failures.set(minute, (failures.get(minute) ?? 0) + 1);
    }
    const perMinute = [...failures.values()].sort((a, b) => a - b);
    expect(perMinute.at(-1)).toBeGreaterThan(3 * (perMinute[Math.floor(perMinute.length / 2)] ?? 0));
    const offline = events.findIndex((event) => event.type === 'worker-offline');
    const back = events.findIndex((event, n) => n > offline && event.type === 'worker-online');
    expect(events[back]?.hostname).toBe(events[offline]?.hostname);
  });
});
