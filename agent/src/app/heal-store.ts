import type pg from 'pg';
import type { HealStore } from '../core/heal/store.ts';
import { HistoryDown } from '../sinks/history/errors.ts';
import { GapHealing } from '../sinks/history/gap-healing.ts';
import { OpenTasks } from '../sinks/history/open-tasks.ts';
import type { HistoryWriter } from '../sinks/history/writer.ts';

/** What healing needs of the history; findings go through its one writer, undefined until the database was reached. */
export function healStoreOf(pool: pg.Pool, writer: () => HistoryWriter | undefined): HealStore {
  const gaps = new GapHealing(pool);
  const open = new OpenTasks(pool);
  return {
    takeGaps: (nowMs) => gaps.take(nowMs),
    closeGap: (id, healed) => gaps.close(id, healed),
    customStates: () => open.customStates(),
    openTasks: (state, limit, after) => open.read(state, limit, after),
    unknownAmong: (taskIds) => open.unknownAmong(taskIds),
    unnamedAmong: (taskIds) => open.unnamedAmong(taskIds),
    countOrphaned: () => open.countOrphaned(),
    settle: async (findings) => {
      const opened = writer();
      if (opened === undefined) throw new HistoryDown(new Error('the database has not been reached yet'));
      return opened.settle(findings);
    },
  };
}
