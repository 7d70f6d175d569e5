import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { WORKER_LOST } from '../../core/events/worker-lost.ts';
import { allSent } from './errors.ts';
import { clockValue, isFloat8, isInt4, isInt8, keyText } from './safe-values.ts';

/** A worker known only by its task events is written again after this time, ms. */
const SIGN_OF_LIFE_MS = 5_000;
const MAX_REMEMBERED = 20_000;

interface WorkerRow {
  readonly hostname: string;
  readonly firstSeenMs: number;
  receivedMs: number;
  timestamp: number;
  online: boolean;
  freq: number | null;
  active: number | null;
  processed: number | null;
  clock: number | null;
  pid: number | null;
  loadavg: string | null;
  swIdent: string | null;
  swVer: string | null;
  swSys: string | null;
}

/** Receive time up to which each worker's row is known to be written; shared by the batches of one writer. */
export type WorkersSeen = Map<string, number>;

/** The worker rows of one write: the last values of each worker's events. */
export class WorkerBatch {
  readonly #rows = new Map<string, WorkerRow>();
  /** When agents told of these that they fell silent, epoch ms. */
  readonly #lost = new Map<string, number>();
  readonly #seen: WorkersSeen;

  constructor(seen: WorkersSeen) {
    this.#seen = seen;
  }

  /** Any event of a worker is a sign of life (celery/events/state.py does the same). */
  addTaskEvent(event: CeleryEvent): void {
    const hostname = keyText(event.hostname);
    const row = this.#rows.get(hostname);
    if (row !== undefined) {
      if (event.receivedMs > row.receivedMs) row.receivedMs = event.receivedMs;
      row.online ||= event.receivedMs >= row.receivedMs;
    } else if (event.receivedMs - (this.#seen.get(hostname) ?? -Infinity) >= SIGN_OF_LIFE_MS) {
      this.#rows.set(hostname, emptyRow(hostname, event));
    }
  }

  addWorkerEvent(event: CeleryEvent): void {
    const hostname = keyText(event.hostname);
    if (event.type === WORKER_LOST) {
      this.#lost.set(hostname, event.receivedMs); // told by the agent, no sign of life
      return;
    }
    let row = this.#rows.get(hostname);
    if (row === undefined) this.#rows.set(hostname, (row = emptyRow(hostname, event)));
    // Replayed or overtaken: what a later event said stays.
    const isOld =
      event.receivedMs < row.receivedMs || (event.receivedMs === row.receivedMs && event.timestamp < row.timestamp);
    if (isOld) return;
    const { fields } = event;
    row.receivedMs = event.receivedMs;
    row.timestamp = event.timestamp;
    row.online = event.subject !== 'offline';
    row.clock = clockValue(event.clock);
    // A heartbeat sent on request lacks the numbers: the last ones stay.
    if (isFloat8(fields['freq'])) row.freq = fields['freq'];
    if (isInt4(fields['active'])) row.active = fields['active'];
    if (isInt8(fields['processed'])) row.processed = fields['processed'];
    if (isInt8(fields['pid'])) row.pid = fields['pid'];
    const load: unknown = fields['loadavg'];
    if (Array.isArray(load) && load.length <= 16 && load.every(isFloat8)) row.loadavg = `{${load.join(',')}}`;
    row.swIdent = textOr(fields['sw_ident'], row.swIdent);
    row.swVer = textOr(fields['sw_ver'], row.swVer);
    row.swSys = textOr(fields['sw_sys'], row.swSys);
  }

  async store(client: ClientBase): Promise<void> {
    await allSent([
      this.#rows.size > 0 ? this.#storeRows(client) : undefined,
      this.#lost.size > 0 ? client.query(LOST, [[...this.#lost.keys()], [...this.#lost.values()]]) : undefined,
    ]);
  }

  async #storeRows(client: ClientBase): Promise<void> {
    const rows = [...this.#rows.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
    const column = <K extends keyof WorkerRow>(name: K) => rows.map((row) => row[name]);
    await client.query({
      name: 'umbel-workers',
      text: UPSERT,
      values: [
        column('hostname'), column('firstSeenMs'), column('receivedMs'), column('online'), column('freq'),
        column('active'), column('processed'), column('clock'), column('pid'), column('loadavg'),
        column('swIdent'), column('swVer'), column('swSys'),
      ], // prettier-ignore
    });
  }

  /** To be called once the rows are committed. */
  remember(): void {
    if (this.#seen.size > MAX_REMEMBERED) this.#seen.clear();
    for (const { hostname, receivedMs } of this.#rows.values()) this.#seen.set(hostname, receivedMs);
  }
}

function emptyRow(hostname: string, { receivedMs }: CeleryEvent): WorkerRow {
  return {
    hostname, firstSeenMs: receivedMs, receivedMs, timestamp: -Infinity, online: true, freq: null, active: null,
    processed: null, clock: null, pid: null, loadavg: null, swIdent: null, swVer: null, swSys: null,
  }; // prettier-ignore
}

function textOr(value: unknown, other: string | null): string | null {
  return typeof value === 'string' ? keyText(value) : other;
}

const VALUES = ['freq', 'active', 'processed', 'clock', 'pid', 'loadavg', 'sw_ident', 'sw_ver', 'sw_sys'];

const LOST = `
update celery_workers kept set online = false
from unnest($1::text[], $2::float8[]) as lost(hostname, told)
where kept.hostname = lost.hostname and kept.last_heartbeat_at <= to_timestamp(told / 1000)`;

const UPSERT = `
insert into celery_workers as kept (hostname, first_seen_at, last_heartbeat_at, online, ${VALUES.join(', ')})
select hostname, to_timestamp(first_seen / 1000), to_timestamp(last_seen / 1000), online, freq, active, processed, clock, pid,
  loadavg::float8[], sw_ident, sw_ver, sw_sys
from unnest($1::text[], $2::float8[], $3::float8[], $4::boolean[], $5::float8[], $6::integer[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[])
  as fresh(hostname, first_seen, last_seen, online, ${VALUES.join(', ')})
on conflict (hostname) do update set
  last_heartbeat_at = excluded.last_heartbeat_at,
  online = excluded.online,
  ${VALUES.map((name) => `${name} = coalesce(excluded.${name}, kept.${name})`).join(', ')}
where kept.last_heartbeat_at is null or excluded.last_heartbeat_at >= kept.last_heartbeat_at`;
