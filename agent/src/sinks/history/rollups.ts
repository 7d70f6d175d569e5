import type { ClientBase } from 'pg';
import { RUNTIME_BUCKETS, runtimeBucket } from '../../core/query/runtime-buckets.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { TaskState } from '../../core/state/task.ts';
import { saneSeconds } from './days.ts';
import { allSent } from './errors.ts';
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

interface Counts {
  readonly counts: number[];
  runtimeCount: number;
  runtimeSum: number;
  buckets: number[] | null;
}

interface Rollup extends Counts {
  /** Begin of the minute or hour, epoch seconds. */
  readonly from: number;
  readonly name: string;
  readonly queue: string;
  /** Empty in the roll-ups by the hour, which do not tell workers apart. */
  readonly worker: string;
}

/** Counts of one write, by (minute of the event, name, queue, worker). */
export class RollupBatch {
  readonly #minutes = new Map<string, Rollup>();
  /** The same by minute, name, queue and worker as they came: a key made for each event would cost as much as the rest. */
  readonly #known = new Map<number, Map<string, Map<string, Map<string, Rollup>>>>();

  /** Counts an event that was really stored; name and queue are those of its task after the merge. */
  add(event: CeleryEvent, task: Pick<TaskState, 'name' | 'queue'>): void {
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

  #find(event: CeleryEvent, task: Pick<TaskState, 'name' | 'queue'>): Rollup {
    const minute = Math.floor(saneSeconds(event.timestamp) / 60) * 60;
    const name = typeof task.name === 'string' ? task.name : '';
    const queue = typeof task.queue === 'string' ? task.queue : '';
    // A publisher is a process with its pid in its name: as a label it would never stop growing.
    const worker = event.subject === 'sent' ? '' : event.hostname;
    const known = this.#known.get(minute)?.get(name)?.get(queue)?.get(worker);
    if (known !== undefined) return known;
    const rollup = this.#findByKey(minute, keyText(name), keyText(queue), keyText(worker));
    const byName = memberOf(this.#known, minute, () => new Map<string, Map<string, Map<string, Rollup>>>());
    const byQueue = memberOf(byName, name, () => new Map<string, Map<string, Rollup>>());
    memberOf(byQueue, queue, () => new Map<string, Rollup>()).set(worker, rollup);
    return rollup;
  }

  #findByKey(from: number, name: string, queue: string, worker: string): Rollup {
    const none = (): Rollup => ({ from, name, queue, worker, ...noCounts() });
    return memberOf(this.#minutes, `${from}\n${name}\n${queue}\n${worker}`, none);
  }

  /** Adds the counts to the stored ones, of minutes and of hours. */
  async store(client: ClientBase): Promise<void> {
    if (this.#minutes.size === 0) return;
    const minutes = [...this.#minutes.values()];
    await allSent([
      client.query({ name: 'umbel-rollups', text: MINUTES, values: [...valuesOf(minutes), minutes.map(workerOf)] }),
      client.query({ name: 'umbel-rollups-hourly', text: HOURS, values: valuesOf(hoursOf(minutes)) }),
    ]);
  }

  /**
   * Takes the counts off the stored ones. Row by row: a row that retention has dropped must not come back, and it is
   * done for the few tasks only that were imported before their events came.
   */
  async takeBack(client: ClientBase): Promise<void> {
    const minutes = [...this.#minutes.values()];
    await allSent([
      ...minutes.flatMap((one) => [
        client.query(LESS_MINUTE, [...valueOf(one), one.worker]),
        client.query(NO_MINUTE, [one.from, one.name, one.queue, one.worker]),
      ]),
      ...hoursOf(minutes).flatMap((one) => [
        client.query(LESS_HOUR, valueOf(one)),
        client.query(NO_HOUR, [one.from, one.name, one.queue]),
      ]),
    ]);
  }
}

function memberOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const workerOf = ({ worker }: Rollup): string => worker;

function noCounts(): Counts {
  return { counts: COUNTS.map(() => 0), runtimeCount: 0, runtimeSum: 0, buckets: null };
}

function hoursOf(minutes: readonly Rollup[]): Rollup[] {
  const hours = new Map<string, Rollup>();
  for (const { from, name, queue, ...counts } of minutes) {
    const hour = Math.floor(from / 3600) * 3600;
    const key = `${hour}\n${name}\n${queue}`;
    let rollup = hours.get(key);
    if (rollup === undefined) hours.set(key, (rollup = { from: hour, name, queue, worker: '', ...noCounts() }));
    addCounts(rollup, counts);
  }
  return [...hours.values()];
}

function addCounts(to: Counts, from: Counts): void {
  from.counts.forEach((count, index) => (to.counts[index] = (to.counts[index] ?? 0) + count));
  to.runtimeCount += from.runtimeCount;
  to.runtimeSum += from.runtimeSum;
  const { buckets } = to;
  if (buckets === null) to.buckets = from.buckets === null ? null : [...from.buckets];
  else from.buckets?.forEach((count, index) => (buckets[index] = (buckets[index] ?? 0) + count));
}

/** Of $1 to $15, column by column. */
function valuesOf(rows: readonly Rollup[]): unknown[] {
  return [
    rows.map(({ from }) => from),
    rows.map(({ name }) => name),
    rows.map(({ queue }) => queue),
    ...COUNTS.map((_, index) => rows.map(({ counts }) => counts[index])),
    rows.map(({ runtimeCount }) => runtimeCount),
    rows.map(({ runtimeSum }) => runtimeSum),
    rows.map(({ buckets }) => (buckets === null ? null : `{${buckets.join(',')}}`)),
  ];
}

/** Of $1 to $15, for one row. */
function valueOf({ from, name, queue, counts, runtimeCount, runtimeSum, buckets }: Rollup): unknown[] {
  return [from, name, queue, ...counts, runtimeCount, runtimeSum, buckets];
}

/** Bucket by bucket and spelt out, which costs a fraction of `array_agg` over both unnested. */
const ADDED = `array[${[...RUNTIME_BUCKETS, Infinity]
  .map(
    (_, index) =>
      `coalesce(kept.runtime_buckets[${index + 1}], 0) + coalesce(excluded.runtime_buckets[${index + 1}], 0)`,
  )
  .join(', ')}]`;

const LESS = ADDED.replaceAll(' + ', ' - ')
  .replaceAll('kept.', '')
  .replaceAll('excluded.runtime_buckets', '($15::bigint[])');

const LESS_MINUTE = lessSql('celery_task_rollups', 'minute', ['name', 'queue', 'worker']);
const LESS_HOUR = lessSql('celery_task_rollups_hourly', 'hour', ['name', 'queue']);
const NO_MINUTE = `${emptySql('celery_task_rollups', 'minute')} and worker = $4`;
const NO_HOUR = emptySql('celery_task_rollups_hourly', 'hour');
const MINUTES = upsertSql('celery_task_rollups', 'minute', ['name', 'queue', 'worker']);
const HOURS = upsertSql('celery_task_rollups_hourly', 'hour', ['name', 'queue']);

/** Ordered by key: whoever else writes roll-ups then locks their rows in the same order. */
function upsertSql(table: string, time: string, labels: readonly string[]): string {
  const key = [time, ...labels].join(', ');
  const counts = COUNTS.join(', ');
  const hasWorker = labels.includes('worker');
  return `
insert into ${table} as kept (${key}, ${counts}, runtime_count, runtime_sum, runtime_buckets)
select to_timestamp(${time}), ${labels.join(', ')}, ${counts}, runtime_count, runtime_sum, runtime_buckets::bigint[]
from unnest($1::float8[], $2::text[], $3::text[], ${COUNTS.map((_, i) => `$${i + 4}::bigint[]`).join(', ')},
    $13::bigint[], $14::float8[], $15::text[]${hasWorker ? ', $16::text[]' : ''})
  as fresh(${time}, name, queue, ${counts}, runtime_count, runtime_sum, runtime_buckets${hasWorker ? ', worker' : ''})
order by ${key}
on conflict (${key}) do update set
  ${COUNTS.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', ')},
  runtime_count = kept.runtime_count + excluded.runtime_count,
  runtime_sum = kept.runtime_sum + excluded.runtime_sum,
  runtime_buckets = case
    when kept.runtime_buckets is null then excluded.runtime_buckets
    when excluded.runtime_buckets is null then kept.runtime_buckets
    else ${ADDED}
  end`;
}

/** A name that nothing was counted under is no group of a series. */
function emptySql(table: string, time: string): string {
  const none = COUNTS.map((name) => `${name} = 0`).join(' and ');
  return `delete from ${table} where ${none} and ${time} = to_timestamp($1) and name = $2 and queue = $3`;
}

/** Lessens the counts of one row by those given. */
function lessSql(table: string, time: string, labels: readonly string[]): string {
  const hasWorker = labels.includes('worker');
  return `
update ${table} set
  ${COUNTS.map((name, index) => `${name} = ${name} - $${index + 4}::bigint`).join(', ')},
  runtime_count = runtime_count - $13::bigint,
  runtime_sum = runtime_sum - $14::float8,
  runtime_buckets = case when $15::bigint[] is null then runtime_buckets else ${LESS} end
where ${time} = to_timestamp($1) and name = $2 and queue = $3${hasWorker ? ' and worker = $16' : ''}`;
}
