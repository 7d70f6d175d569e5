import type { ClientBase } from 'pg';
import { keyText } from './safe-values.ts';

/** `last_seen_at` serves the retention of days: once in this time, ms, is often enough to write it. */
const REFRESH_MS = 600_000;
const MAX_REMEMBERED = 20_000;

/** Receive time with which each name was last written; shared by the batches of one writer. */
export type NamesSeen = Map<string, number>;

/** Task names of one write that are new or were not written for a while. */
export class NameBatch {
  /** First and last receive time in this write. */
  readonly #names = new Map<string, { readonly firstMs: number; lastMs: number }>();
  readonly #seen: NamesSeen;

  constructor(seen: NamesSeen) {
    this.#seen = seen;
  }

  add(name: unknown, receivedMs: number): void {
    if (typeof name !== 'string') return;
    const known = this.#names.get(name);
    if (known !== undefined) known.lastMs = Math.max(known.lastMs, receivedMs);
    else if (receivedMs - (this.#seen.get(name) ?? -Infinity) >= REFRESH_MS) {
      this.#names.set(name, { firstMs: receivedMs, lastMs: receivedMs });
    }
  }

  async store(client: ClientBase): Promise<void> {
    if (this.#names.size === 0) return;
    const names = new Map([...this.#names].map(([name, times]) => [keyText(name), times]));
    await client.query({
      name: 'umbel-names',
      text: UPSERT,
      values: [
        [...names.keys()],
        [...names.values()].map(({ firstMs }) => firstMs),
        [...names.values()].map(({ lastMs }) => lastMs),
      ],
    });
  }

  /** To be called once the rows are committed. */
  remember(): void {
    if (this.#seen.size > MAX_REMEMBERED) this.#seen.clear();
    for (const [name, { lastMs }] of this.#names) this.#seen.set(name, lastMs);
  }
}

const UPSERT = `
insert into celery_task_names as kept (name, first_seen_at, last_seen_at)
select name, to_timestamp(first / 1000), to_timestamp(last / 1000)
from unnest($1::text[], $2::float8[], $3::float8[]) as fresh(name, first, last)
order by name
on conflict (name) do update set
  first_seen_at = least(kept.first_seen_at, excluded.first_seen_at),
  last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at)`;
