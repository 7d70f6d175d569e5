import type { TaskFilter, TaskSort } from '../../../core/query/filter.ts';
import { needsCheck } from './filter-sql.ts';
import { partsOf } from './order.ts';
import type { Session, Sessions } from './session.ts';
import { type KeyedRow, lookUpIds, passesCheck, statement, type TaskQuery } from './task-query.ts';

/** Rows fetched at once: a megabyte or so, and some 2 ms. */
const FETCH = 500;

/**
 * Every match in the order of `sort`, through a cursor on the server: neither side holds more than one fetch. Leaving
 * the loop ends the transaction and with it the query.
 *
 * @throws HistoryUnavailable, QueryError
 */
export async function* exportRows(
  sessions: Sessions,
  filter: TaskFilter,
  sort: TaskSort,
  limit: number,
): AsyncGenerator<KeyedRow, void, undefined> {
  if (limit <= 0) return;
  const open = await sessions.open();
  let isDone = false;
  try {
    const query = { filter, sort, knownIds: await lookUpIds(open.session, filter) };
    let left = limit;
    for await (const row of matches(open.session, query)) {
      yield row;
      left -= 1;
      if (left <= 0) break;
    }
    open.end();
    isDone = true;
  } catch (error) {
    throw sessions.translate(error);
  } finally {
    if (!isDone) await open.abandon();
  }
}

async function* matches(session: Session, query: TaskQuery): AsyncGenerator<KeyedRow, void, undefined> {
  const isChecked = needsCheck(query.filter);
  for (const [index, part] of partsOf(query.sort).entries()) {
    const name = `umbel_export_${index}`;
    const [text, values] = statement(session, query, part, undefined);
    await session.rows(`declare ${name} no scroll cursor for ${text}`, values);
    for (;;) {
      const rows = await session.rows<KeyedRow>(`fetch ${FETCH} from ${name}`);
      for (const row of rows) {
        if (!isChecked || passesCheck(query, row)) yield row;
      }
      if (rows.length < FETCH) break;
    }
    await session.rows(`close ${name}`);
  }
}
