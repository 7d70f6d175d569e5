import type pg from 'pg';
import { failureKey } from '../../core/query/failure.ts';
import { dayOf, isoDay } from './days.ts';
import { countedEnd, eventOfEnd, subjectOfEnd } from './imported-end.ts';
import { NameBatch } from './name-rows.ts';
import type { Partitions } from './partitions.ts';
import { RollupBatch } from './rollups.ts';
import { keyId, keyText, storable, type TextLimits } from './safe-values.ts';
import { Turn } from './turn.ts';

/** A task that has ended, as a result backend knows it. Texts are as events tell them: reprs, with secrets masked. */
export interface EndedTask {
  readonly taskId: string;
  readonly state: 'SUCCESS' | 'FAILURE' | 'REVOKED';
  /** Epoch seconds. */
  readonly ended: number;
  readonly started: number | null;
  readonly name: string | null;
  readonly worker: string | null;
  readonly queue: string | null;
  readonly retries: number | null;
  readonly args: string | null;
  readonly kwargs: string | null;
  readonly result: string | null;
  readonly exception: string | null;
  readonly traceback: string | null;
}

export interface ImportStep {
  /** Table and place that the tasks come from, without password. */
  readonly source: string;
  /** Of the last row read, and how many were read up to it. */
  readonly lastId: number;
  readonly read: number;
  readonly isLast: boolean;
  readonly tasks: readonly EndedTask[];
}

export interface ImportProgress {
  readonly lastId: number;
  readonly read: number;
  readonly added: number;
}

/** Stores imported tasks as one more writer: in its turn, so that the agents' writers know that another one wrote. */
export class TaskImport {
  readonly #pool: pg.Pool;
  readonly #partitions: Partitions;
  readonly #limits: TextLimits;

  constructor(pool: pg.Pool, partitions: Partitions, limits: TextLimits) {
    this.#pool = pool;
    this.#partitions = partitions;
    this.#limits = limits;
  }

  /** Where an import of this source stopped; undefined where none did, or it came to its end. */
  async unfinished(source: string): Promise<ImportProgress | undefined> {
    const { rows } = await this.#pool.query<ImportProgress>(
      `select last_id::float8 as "lastId", read::float8 as read, added::float8 as added
       from umbel_imports where source = $1 and finished_at is null`,
      [source],
    );
    return rows[0];
  }

  /**
   * Adds the tasks that the history does not know, with their roll-ups and names, and notes how far it came, all in one
   * transaction. Resolves to how many it added. Rejects as pg does.
   */
  async store(step: ImportStep, nowMs: number): Promise<number> {
    await this.#partitions.ensure(new Set(step.tasks.map(({ ended }) => dayOf(ended))));
    const turn = await Turn.begin(this.#pool, () => undefined);
    try {
      await turn.take();
      const added = await this.#add(turn.client, step, nowMs);
      await turn.client.query(NOTE, [step.source, step.lastId, step.read, added, nowMs / 1000, step.isLast]);
      await turn.commit();
      await turn.flush();
      return added;
    } catch (error) {
      await turn.abandon();
      throw error;
    }
  }

  async #add(client: pg.ClientBase, { tasks, source }: ImportStep, nowMs: number): Promise<number> {
    const byId = new Map(tasks.map((task) => [keyId(task.taskId), task]));
    const { rows } = await client.query<{ task_id: string }>(
      'select task_id from celery_tasks where task_id = any($1::text[])',
      [[...byId.keys()]],
    );
    for (const row of rows) byId.delete(row.task_id);
    if (byId.size === 0) return 0;
    const added = [...byId.values()].map((task) => this.#row(task, source, nowMs));
    const columns = Object.keys(TYPES).join(', ');
    const typed = Object.entries(TYPES).map((column) => column.join(' '));
    // Materialised: Citus cannot send the function to its nodes.
    await client.query(
      `with given as materialized (select * from json_to_recordset($1::json) as t(${typed.join(', ')}))
       insert into celery_tasks (${columns}) select ${columns} from given`,
      [JSON.stringify(added)],
    );
    const rollups = new RollupBatch();
    const names = new NameBatch(new Map());
    for (const row of added) {
      // What the writer reads in the row, so that it can take back just that when the event comes after all.
      const end = countedEnd(row);
      if (end !== null) rollups.add(...eventOfEnd(end));
    }
    for (const task of byId.values()) names.add(task.name, task.ended * 1000);
    await rollups.store(client);
    await names.store(client);
    return byId.size;
  }

  #row(task: EndedTask, source: string, nowMs: number): Readonly<Record<keyof typeof TYPES, unknown>> {
    const { state, ended, started, exception, traceback } = task;
    const failure = state === 'FAILURE' ? failureKey(exception, traceback) : null;
    const key = (text: string | null): string | null => (text === null ? null : keyText(text));
    const value = (text: string | null): string | null =>
      text === null ? null : storable(text.slice(0, this.#limits.value));
    return {
      seen_on: isoDay(dayOf(ended)),
      timestamp: ended,
      started,
      succeeded: null,
      failed: null,
      revoked: null,
      ...{ [subjectOfEnd(state)]: ended },
      runtime: started === null ? null : Math.max(0, ended - started),
      retries: task.retries,
      task_id: keyId(task.taskId),
      state,
      name: key(task.name),
      worker: key(task.worker),
      queue: key(task.queue),
      args: value(task.args),
      kwargs: value(task.kwargs),
      result: value(task.result),
      exception: value(exception),
      traceback: traceback === null ? null : storable(traceback.slice(-this.#limits.traceback)),
      exception_type: failure === null ? null : keyText(failure.type),
      failure_message: failure === null ? null : storable(failure.message),
      fingerprint: failure?.fingerprint ?? null,
      mark: 'imported',
      mark_detail: source,
      marked: nowMs / 1000,
    };
  }
}

/** Columns of celery_tasks that an import fills, by their types. */
const TYPES = {
  ...{ seen_on: 'date', timestamp: 'float8', started: 'float8', succeeded: 'float8', failed: 'float8' },
  ...{ revoked: 'float8', runtime: 'float8', retries: 'integer', task_id: 'text', state: 'text', name: 'text' },
  ...{ worker: 'text', queue: 'text', args: 'text', kwargs: 'text', result: 'text', exception: 'text' },
  ...{ traceback: 'text', exception_type: 'text', failure_message: 'text', fingerprint: 'text' },
  ...{ mark: 'text', mark_detail: 'text', marked: 'float8' },
} as const;

const NOTE = `
insert into umbel_imports as kept (source, last_id, read, added, started_at, finished_at)
values ($1, $2, $3, $4, to_timestamp($5), case when $6 then to_timestamp($5) end)
on conflict (source) do update set last_id = excluded.last_id, read = excluded.read,
  added = case when kept.finished_at is null then kept.added else 0 end + excluded.added,
  started_at = case when kept.finished_at is null then kept.started_at else excluded.started_at end,
  finished_at = excluded.finished_at`;
