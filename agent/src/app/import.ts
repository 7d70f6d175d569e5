import type { Config } from '../config/config.ts';
import type { Masker } from '../core/mask/mask.ts';
import { READY_STATES } from '../core/state/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { databaseAddress } from '../results/open.ts';
import { reprOfEnd } from '../core/wire/result-repr.ts';
import { openResultTable, type ResultTable, type StoredRow } from '../results/result-table.ts';
import { migrate, openPool } from '../sinks/history/database.ts';
import { type EndedTask, TaskImport } from '../sinks/history/import.ts';
import { Partitions } from '../sinks/history/partitions.ts';
import { DEFAULT_LIMITS } from '../sinks/history/safe-values.ts';
import { embeddedUrl } from './doctor.ts';
import { maskerOf } from './results.ts';

/** Rows read and stored at once: about a second's work. */
const BATCH = 2000;
const DAY_MS = 86_400_000;

export interface ImportDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes one line, without its end. */
  readonly line: (text: string) => void;
  /** Rows at once; default 2,000. */
  readonly batch?: number;
}

/**
 * Runs `umbel import`: takes the ended tasks of the result backend's table into the history. Tasks that the history
 * knows stay as they are, so that it may be repeated; one that was stopped goes on where it was. Resolves to the exit
 * code, having told in lines what it did or what is wrong.
 */
export async function runImportCommand(config: Config, deps: ImportDeps): Promise<0 | 1> {
  try {
    await importResults(config, deps);
    return 0;
  } catch (error) {
    deps.line(`import: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function importResults(config: Config, { clock, logger, line, batch = BATCH }: ImportDeps): Promise<void> {
  const { connectionString, displayUrl } = sourceOf(config);
  const databaseUrl = config.history.databaseUrl ?? (await embeddedUrl(config.history.dataDir));
  if (databaseUrl === undefined) {
    throw new Error('there is no history: give --database-url, or start the agent, whose own Postgres then runs');
  }
  const { resultTable: name, resultSchema } = config.broker;
  const schema = resultSchema === undefined ? {} : { schema: resultSchema };
  const table = await openResultTable({ connectionString, table: name, ...schema });
  await migrate(databaseUrl, logger);
  const pool = openPool({ databaseUrl, logger, maxConnections: 2 });
  try {
    const {
      eventRetentionDays: eventDays,
      taskRetentionDays: taskDays,
      rollupRetentionDays: rollupDays,
    } = config.history;
    const partitions = new Partitions({ pool, clock, logger, eventDays, taskDays, rollupDays });
    const { textLength: value, tracebackLength: traceback } = config.limits;
    const target = new TaskImport(pool, partitions, { ...DEFAULT_LIMITS, value, traceback });
    const source = `${displayUrl} ${table.table}`;
    const oldestMs = (Math.floor(clock.now() / DAY_MS) - taskDays) * DAY_MS;
    await copy(table, target, { source, batch, line, clock, oldestMs, masker: maskerOf(config) });
  } finally {
    await Promise.all([pool.end(), table.close()]);
  }
}

/** @throws Error that names the option and the fix */
function sourceOf({ broker }: Config): { readonly connectionString: string; readonly displayUrl: string } {
  const url = broker.resultBackend;
  if (url === undefined) {
    throw new Error('there is nothing to import: give --result-backend db+postgresql://… of the Celery app');
  }
  const address = databaseAddress(url);
  if (!('unreadable' in address)) return address;
  const kind = /^[a-z+]{1,40}(?=:\/\/)/i.exec(url.trim())?.[0];
  throw new Error(
    `--result-backend: ${kind === undefined ? 'this' : `${kind}://`} cannot be imported, only the table of a backend in Postgres can: give db+postgresql://…`,
  );
}

interface Copying {
  readonly source: string;
  readonly batch: number;
  readonly line: (text: string) => void;
  readonly clock: Clock;
  /** What ended before is older than the retention. */
  readonly oldestMs: number;
  readonly masker: Masker;
}

async function copy(table: ResultTable, target: TaskImport, copying: Copying): Promise<void> {
  const { source, batch, line, clock, oldestMs, masker } = copying;
  const about = await table.count();
  const before = await target.unfinished(source);
  if (before !== undefined) line(`going on after ${number(before.read)} rows, which an earlier run has read`);
  let { lastId, read, added } = before ?? { lastId: -1, read: 0, added: 0 };
  let open = 0;
  let old = 0;
  for (;;) {
    const page = await table.after(lastId, batch);
    const ended = page.rows.flatMap((row) => endedTask(row, masker) ?? []);
    const kept = ended.filter((task) => task.ended * 1000 >= oldestMs);
    open += page.read - ended.length;
    old += ended.length - kept.length;
    read += page.read;
    lastId = page.lastId ?? lastId;
    const isLast = page.read < batch;
    added += await target.store({ source, lastId, read, isLast, tasks: kept }, clock.now());
    line(`${number(read)} of about ${number(Math.max(about, read))} rows read, ${number(added)} tasks added`);
    if (isLast) break;
  }
  line(
    `done: ${number(added)} tasks of ${source} added; ${number(open)} rows of tasks that have not ended and ${number(old)} older than --task-retention-days left out, those that the history knows left as they are`,
  );
}

/** Undefined where the task has not ended, or nobody knows when. */
function endedTask({ result, startedMs, argsRepr, kwargsRepr }: StoredRow, masker: Masker): EndedTask | undefined {
  const { status, dateDoneMs, extended } = result;
  if (!isEnded(status) || dateDoneMs === null) return undefined;
  const masked = (text: string | null): string | null => (text === null ? null : masker.text(text));
  const value = reprOfEnd(result) ?? null;
  return {
    taskId: result.taskId,
    state: status,
    ended: dateDoneMs / 1000,
    started: startedMs === null ? null : startedMs / 1000,
    name: extended?.name ?? null,
    worker: extended?.worker ?? null,
    queue: extended?.queue ?? null,
    retries: extended?.retries ?? null,
    args: masked(argsRepr),
    kwargs: masked(kwargsRepr),
    result: status === 'SUCCESS' ? masked(value) : null,
    exception: status === 'SUCCESS' ? null : masked(value),
    traceback: masked(result.traceback),
  };
}

function isEnded(status: string): status is EndedTask['state'] {
  return READY_STATES.has(status);
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
