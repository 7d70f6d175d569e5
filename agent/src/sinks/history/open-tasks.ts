import type pg from 'pg';
import type { Place, StoredOpenTask, StuckState } from '../../core/heal/store.ts';
import { etaSeconds } from '../../core/state/eta.ts';
import type { TaskMark } from '../../core/state/task.ts';
import { keyId } from './safe-values.ts';

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

  /** Newest first, behind the place. The state is part of the text: the planner is to see which index holds it. */
  async read(state: StuckState, limit: number, after?: Place): Promise<readonly StoredOpenTask[]> {
    const { rows } = await this.#pool.query<Row>(
      `select task_id, name, timestamp, worker, queue, eta, mark from celery_tasks
       where state = '${state}' and (timestamp, task_id) < ($1::float8, $2::text)
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

  /** How many orphaned tasks the history holds that were not sent again. */
  async countOrphaned(): Promise<number> {
    const { rows } = await this.#pool.query<{ count: number }>(
      `select count(*)::int as count from celery_tasks where mark = 'orphaned'`,
    );
    return rows[0]?.count ?? 0;
  }
}
