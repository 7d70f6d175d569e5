import { describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import { openMessage } from '../../agent/src/core/wire/envelope.ts';
import { recordedMessages, RECORDINGS } from './recordings.testkit.ts';

/** Every event type of Celery that a session can show; `task-cancelled` was not recorded. */
const TYPES = [
  'task-failed',
  'task-progress',
  'task-received',
  'task-rejected',
  'task-retried',
  'task-revoked',
  'task-sent',
  'task-started',
  'task-succeeded',
  'worker-heartbeat',
  'worker-offline',
  'worker-online',
];

describe.each(RECORDINGS)('recording %s', (recording) => {
  const messages = recordedMessages(recording);

  it('has bodies that decode to what Python decoded', () => {
    expect(messages.length).toBeGreaterThan(200);
    for (const { raw, decoded } of messages) expect(openMessage(raw)).toEqual({ body: decoded, found: 0 });
  });

  it('gives every event of every message, untouched, with its head', () => {
    const types = new Set<string>();
    for (const { raw, decoded } of messages) {
      const { events, rejects } = decodeMessage(raw);
      const bodies = (Array.isArray(decoded) ? decoded : [decoded]) as Record<string, unknown>[];
      const kept = bodies.filter((body) => body['type'] !== 'custom-thing');
      expect(events.map((event) => event.fields)).toEqual(kept);
      expect(rejects).toEqual(kept.length === bodies.length ? [] : [{ reason: 'ignored', detail: 'custom-thing' }]);
      for (const event of events) {
        const { type, hostname, uuid = '', timestamp, clock } = event.fields;
        expect(event).toMatchObject({ type, hostname, uuid, timestamp, clock, receivedMs: raw.receivedMs });
        expect(`${event.group}-${event.subject}`).toBe(type);
        types.add(event.type);
      }
    }
    expect([...types].sort()).toEqual(TYPES);
  });

  it('gives each of its events an identity of its own', () => {
    const events = messages.flatMap(({ raw }) => decodeMessage(raw).events);
    expect(new Set(events.map((event) => event.identity)).size).toBe(events.length);
  });
});
