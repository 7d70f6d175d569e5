import type { CeleryEvent } from '../events/event.ts';
import { eventIdentity } from '../events/identity.ts';

/** An event of celery@a about task t-1 with the given body; `receivedMs` is its timestamp unless given. */
export function makeEvent(type: string, body: Record<string, unknown> = {}, receivedMs?: number): CeleryEvent {
  const group = type.startsWith('task') ? 'task' : 'worker';
  const fields = { hostname: 'celery@a', timestamp: 1000, ...(group === 'task' ? { uuid: 't-1' } : {}), ...body, type };
  const { hostname, timestamp, uuid = '' } = fields as { hostname: string; timestamp: number; uuid?: string };
  const clock = typeof body['clock'] === 'number' ? body['clock'] : 0;
  return {
    type,
    group,
    subject: type.slice(group.length + 1),
    hostname,
    uuid,
    timestamp,
    clock,
    identity: eventIdentity(hostname, type, uuid, clock, timestamp),
    receivedMs: receivedMs ?? timestamp * 1000,
    fields,
  };
}
