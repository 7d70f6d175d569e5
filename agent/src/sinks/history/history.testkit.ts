import type pg from 'pg';
import { freshDatabase } from '../../../../test/support/database.ts';
import { closeAtEnd } from '../../../../test/support/cleanup.ts';
import { eventIdentity } from '../../core/events/identity.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { type EventBatch, eventBatch } from '../port.ts';
import { migrate, openPool } from './database.ts';
import { type HistoryWriter, type HistoryWriterOptions, openHistoryWriter } from './writer.ts';

/** 2026-03-10 12:00 UTC, epoch seconds. */
export const NOON = 1_773_144_000;

export const quietLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A clock that stands still until it is set; timers are real. */
export function settableClock(startS = NOON): Clock & { set(seconds: number): void } {
  let nowMs = startS * 1000;
  return { ...systemClock, now: () => nowMs, set: (seconds) => void (nowMs = seconds * 1000) };
}

export interface HistoryKit {
  readonly url: string;
  readonly pool: pg.Pool;
  open(options?: Partial<HistoryWriterOptions>): HistoryWriter;
  rows<T extends pg.QueryResultRow = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
}

/** A migrated database of its own and writers on it; all of it goes when the test file ends. */
export async function openHistoryKit(): Promise<HistoryKit> {
  const { url } = await freshDatabase();
  await migrate(url, quietLogger);
  const pool = openPool({ databaseUrl: url, logger: quietLogger });
  closeAtEnd({ close: () => pool.end() });
  return {
    url,
    pool,
    open: (options = {}) => {
      const writer = openHistoryWriter({
        pool,
        clock: settableClock(),
        logger: quietLogger,
        recall: false,
        ...options,
      });
      closeAtEnd(writer);
      return writer;
    },
    rows: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<T>(sql, values)).rows,
  };
}

let clock = 0;

/** An event as it comes out of decoding; `at` is seconds after noon unless it is an epoch of its own. */
export function event(type: string, uuid: string, at: number, fields: Record<string, unknown> = {}): CeleryEvent {
  const [group, ...rest] = type.split('-');
  const isTask = group === 'task';
  const timestamp = Math.abs(at) < 1e8 ? NOON + at : at;
  const hostname = typeof fields['hostname'] === 'string' ? fields['hostname'] : isTask ? 'celery@one' : uuid;
  const lamport = typeof fields['clock'] === 'number' ? fields['clock'] : ++clock;
  const id = isTask ? uuid : '';
  return {
    type,
    group: isTask ? 'task' : 'worker',
    subject: rest.join('-'),
    hostname,
    uuid: id,
    timestamp,
    clock: lamport,
    identity: eventIdentity(hostname, type, id, lamport, timestamp),
    receivedMs: (NOON + (Math.abs(at) < 1e8 ? at : 0)) * 1000 + 5,
    fields: { type, hostname, timestamp, clock: lamport, utcoffset: 0, pid: 7, ...(isTask ? { uuid } : {}), ...fields },
  };
}

/** The usual life of a task, starting `at` seconds after noon. */
export function life(uuid: string, at: number, name = 'app.add', worker = 'celery@one'): CeleryEvent[] {
  const body = {
    name,
    args: '(1, 2)',
    kwargs: '{}',
    root_id: uuid,
    parent_id: null,
    retries: 0,
    eta: null,
    expires: null,
  };
  const hostname = worker;
  return [
    event('task-sent', uuid, at, { ...body, hostname: 'gen1@web', queue: 'high', exchange: '', routing_key: 'high' }),
    event('task-received', uuid, at + 1, { ...body, hostname }),
    event('task-started', uuid, at + 2, { hostname }),
    event('task-succeeded', uuid, at + 3, { hostname, result: '3', runtime: 0.5 }),
  ];
}

export function batch(...events: CeleryEvent[]): EventBatch[] {
  return [eventBatch({ receivedMs: 0, routingKey: 'task.multi', payload: Buffer.alloc(0) }, events)];
}

/** Everything stored, in an order of its own, without what differs from run to run. */
export async function everything(kit: HistoryKit): Promise<Record<string, unknown[]>> {
  return {
    events: await kit.rows(
      `select to_jsonb(e) as row from celery_task_events e order by task_id, occurred_at, identity`,
    ),
    tasks: await kit.rows(`select to_jsonb(t) as row from celery_tasks t order by task_id`),
    rollups: await kit.rows(
      `select to_jsonb(r) as row from celery_task_rollups r order by minute, name, queue, worker`,
    ),
    hours: await kit.rows(`select to_jsonb(r) as row from celery_task_rollups_hourly r order by hour, name, queue`),
  };
}
