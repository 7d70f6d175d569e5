import type { ClientBase } from 'pg';
import { RUNTIME_BUCKETS, runtimeBucket } from '../../core/query/runtime-buckets.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { TaskState } from '../../core/state/task.ts';
import { saneSeconds } from './days.ts';
import { isFloat8, keyText } from './safe-values.ts';

const COUNTS = [
  'sent',
  'received',
  'started',
  'succeeded',
  'failed',
  'retried',
  'revoked',
  'rejected',
  'other',
] as const;
const COUNT_INDEX = new Map<string, number>(COUNTS.map((name, index) => [name, index]));
const OTHER = COUNTS.length - 1;

interface Rollup {
  readonly minute: number;
  readonly name: string;
  readonly queue: string;
  readonly worker: string;
  readonly counts: number[];
  runtimeCount: number;
  runtimeSum: number;
  buckets: number[] | null;
}

/** Counts of one write, by (minute of the event, name, queue, worker). */
export class RollupBatch {
  readonly #rollups = new Map<string, Rollup>();
  #lastKey = '';
  #last: Rollup | undefined;

  /** Counts an event that was really stored; name and queue are those of its task after the merge. */
  add(event: CeleryEvent, task: TaskState): void {
    const rollup = this.#find(event, task);
    const index = COUNT_INDEX.get(event.subject) ?? OTHER;
    rollup.counts[index] = (rollup.counts[index] ?? 0) + 1;
    if (event.subject !== 'succeeded') return;
    const runtime = event.fields['runtime'];
    if (!isFloat8(runtime)) return;
    rollup.runtimeCount++;
    rollup.runtimeSum += runtime;
    const bucket = runtimeBucket(runtime);
    rollup.buckets ??= new Array<number>(RUNTIME_BUCKETS.length + 1).fill(0);
    rollup.buckets[bucket] = (rollup.buckets[bucket] ?? 0) + 1;
  }

  #find(event: CeleryEvent, task: TaskState): Rollup {
    const minute = Math.floor(saneSeconds(event.timestamp) / 60) * 60;
    const name = typeof task.name === 'string' ? keyText(task.name) : '';
    const queue = typeof task.queue === 'string' ? keyText(task.queue) : '';
    // A publisher is a process with its pid in its name: as a label it would never stop growing.
    const worker = event.subject === 'sent' ? '' : keyText(event.hostname);
    const key = `${minute}\n${name}\n${queue}\n${worker}`;
    if (this.#last !== undefined && key === this.#lastKey) return this.#last;
    let rollup = this.#rollups.get(key);
    if (rollup === undefined) {
      rollup = {
        minute,
        name,
        queue,
        worker,
        counts: COUNTS.map(() => 0),
        runtimeCount: 0,
        runtimeSum: 0,
        buckets: null,
      };
      this.#rollups.set(key, rollup);
    }
    this.#last = rollup;
    this.#lastKey = key;
    return rollup;
  }

  /** Adds the counts to the stored ones. */
  async store(client: ClientBase): Promise<void> {
    if (this.#rollups.size === 0) return;
    const rows = [...this.#rollups.values()];
    await client.query({
      name: 'umbel-rollups',
      text: UPSERT,
      values: [
        rows.map(({ minute }) => minute),
        rows.map(({ name }) => name),
        rows.map(({ queue }) => queue),
        rows.map(({ worker }) => worker),
        ...COUNTS.map((_, index) => rows.map(({ counts }) => counts[index])),
        rows.map(({ runtimeCount }) => runtimeCount),
        rows.map(({ runtimeSum }) => runtimeSum),
        rows.map(({ buckets }) => (buckets === null ? null : `{${buckets.join(',')}}`)),
      ],
    });
  }
}

// Ordered by key: whoever else writes roll-ups then locks their rows in the same order.
const UPSERT = `
insert into celery_task_rollups as kept (minute, name, queue, worker, ${COUNTS.join(', ')},
  runtime_count, runtime_sum, runtime_buckets)
select to_timestamp(minute), name, queue, worker, ${COUNTS.join(', ')},
  runtime_count, runtime_sum, runtime_buckets::bigint[]
from unnest($1::float8[], $2::text[], $3::text[], $4::text[], ${COUNTS.map((_, i) => `$${i + 5}::bigint[]`).join(', ')},
    $14::bigint[], $15::float8[], $16::text[])
  as fresh(minute, name, queue, worker, ${COUNTS.join(', ')}, runtime_count, runtime_sum, runtime_buckets)
order by minute, name, queue, worker
on conflict (minute, name, queue, worker) do update set
  ${COUNTS.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', ')},
  runtime_count = kept.runtime_count + excluded.runtime_count,
  runtime_sum = kept.runtime_sum + excluded.runtime_sum,
  runtime_buckets = case
    when kept.runtime_buckets is null then excluded.runtime_buckets
    when excluded.runtime_buckets is null then kept.runtime_buckets
    else (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by i)
      from rows from (unnest(kept.runtime_buckets), unnest(excluded.runtime_buckets)) with ordinality as both_(a, b, i))
  end`;
