import pg from 'pg';
import type { Basis } from '../../core/heal/finding.ts';
import type { Place, StoredOpenTask } from '../../core/heal/store.ts';
import { etaSeconds } from '../../core/state/eta.ts';
import { isCustom } from '../../core/state/states.ts';
import type { TaskMark } from '../../core/state/task.ts';
import { keyId } from './safe-values.ts';

/** Of an app's own that are looked at, at most: an app may make up as many as it likes. */
const MOST_STATES = 50;

interface Row {
  readonly task_id: string;
  readonly name: string | null;
  readonly timestamp: number;
  readonly worker: string | null;
  readonly queue: string | null;
  readonly eta: string | null;
  readonly mark: TaskMark['kind'] | null;
}

/** Reads the tasks that have not ended, as far as the history knows. Methods reject as pg does. */
export class OpenTasks {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** From one state to the next in the index, instead of through every task. */
  async customStates(): Promise<readonly string[]> {
    const states: string[] = [];
    for (let after = ''; states.length < MOST_STATES;) {
      const { rows } = await this.#pool.query<{ state: string }>(
        `select state from celery_tasks where state <> 'SUCCESS' and state > $1::text order by state limit 1`,
        [after],
      );
      const [next] = rows;
      if (next === undefined) break;
      after = next.state;
      if (isCustom(after)) states.push(after);
    }
    return states;
  }

  /** Newest first, behind the place. The state is part of the text: the planner is to see which index holds it. */
  async read(state: string, limit: number, after?: Place): Promise<readonly StoredOpenTask[]> {
    const { rows } = await this.#pool.query<Row>(
      `select task_id, name, timestamp, worker, queue, eta, mark from celery_tasks
       where state = ${pg.escapeLiteral(state)} and (timestamp, task_id) < ($1::float8, $2::text)
       order by timestamp desc, task_id desc limit $3`,
      [after?.timestamp ?? 'Infinity', after?.taskId ?? '', limit],
    );
    return rows.map(({ task_id, name, timestamp, worker, queue, eta, mark }) => ({
      ...{ taskId: task_id, name, state, timestamp, worker, queue, mark },
      etaMs: eta === null ? null : etaSeconds(eta) * 1000,
    }));
  }

  /** Those of the ids that have no row. */
  async unknownAmong(ids: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ task_id: string }>(
      'select task_id from celery_tasks where task_id = any($1::text[])',
      [ids.map(keyId)],
    );
    const known = new Set(rows.map(({ task_id }) => task_id));
    return ids.filter((id) => !known.has(keyId(id)));
  }

  /** Those of the ids whose row has no name. */
  async unnamedAmong(ids: readonly string[]): Promise<readonly (Basis & { readonly taskId: string })[]> {
    const { rows } = await this.#pool.query<Basis & { readonly task_id: string }>(
      'select task_id, state, timestamp, mark from celery_tasks where task_id = any($1::text[]) and name is null',
      [ids.map(keyId)],
    );
    return rows.map(({ task_id, ...basis }) => ({ taskId: task_id, ...basis }));
  }

  /** How many orphaned tasks the history holds that were not sent again. */
  async countOrphaned(): Promise<number> {
    const { rows } = await this.#pool.query<{ count: number }>(
      `select count(*)::int as count from celery_tasks where mark = 'orphaned'`,
    );
    return rows[0]?.count ?? 0;
  }
}
