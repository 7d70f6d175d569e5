import { Type } from 'typebox';
import type { TaskFilter, TaskSort } from '../../core/query/filter.ts';
import type { HistoryReader } from '../../core/query/reader.ts';
import { needHistory, type Routes } from '../context.ts';
import { answers, READS, textOf } from '../contract/answers.ts';
import { toApiTask } from '../contract/convert.ts';
import { csvHeader, csvLine } from '../contract/csv.ts';
import { toSort, toTaskFilter } from '../contract/filter.ts';
import { limit, parameters, sortParameters, taskFilterParameters } from '../contract/parameters.ts';
import type { ApiTask } from '../contract/schemas.ts';
import { streamOf } from '../streaming.ts';

/** Lines sent at once. */
const LINES = 200;

const FORMATS = {
  csv: { type: 'text/csv; charset=utf-8', header: csvHeader(), line: csvLine },
  ndjson: {
    type: 'application/x-ndjson; charset=utf-8',
    header: '',
    line: (task: ApiTask) => `${JSON.stringify(task)}\n`,
  },
} as const;

const exportSchema = {
  tags: ['Tasks'],
  summary: 'Export tasks as CSV or NDJSON',
  description:
    'A stream of any length, with the filters and the members of /tasks. If it fails midway the connection is cut.',
  querystring: parameters({
    ...taskFilterParameters,
    ...sortParameters,
    format: Type.Enum(['csv', 'ndjson'], { default: 'csv' }),
    limit: limit(10_000_000, 1_000_000),
  }),
  response: answers(textOf('', 'text/csv', 'application/x-ndjson'), 'The tasks', READS),
};

/** `/export/tasks`. */
export const exportRoutes: Routes = async (app, { deps }) => {
  app.get('/export/tasks', { schema: exportSchema }, async ({ query }, reply) => {
    const history = needHistory(deps);
    const filter = toTaskFilter(query, deps.clock.now());
    const { type } = FORMATS[query.format];
    const body = await streamOf(linesOf(history, filter, toSort(query), query.limit, query.format), deps.logger);
    reply.type(type).header('content-disposition', `attachment; filename="tasks.${query.format}"`);
    // The schema describes the text; what is sent is a stream of it.
    return reply.send(body as unknown as string);
  });
  await Promise.resolve();
};

async function* linesOf(
  history: HistoryReader,
  filter: TaskFilter,
  sort: TaskSort,
  most: number,
  format: keyof typeof FORMATS,
): AsyncGenerator<string, void, undefined> {
  const { header, line } = FORMATS[format];
  let lines = [header];
  for await (const task of history.exportTasks(filter, sort, most)) {
    lines.push(line(toApiTask(task)));
    if (lines.length < LINES) continue;
    yield lines.join('');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('');
}
