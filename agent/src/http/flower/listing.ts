import type { HistoryReader } from '../../core/query/reader.ts';
import type { TaskFilter, TaskSort } from '../../core/query/filter.ts';
import type { TaskRecord } from '../../core/query/records.ts';
import { casefold } from '../../core/query/casefold.ts';
import { parseSearch, SearchError } from '../../core/query/search-parser.ts';
import { argument, escapeHtml, intArgument, localMinuteArgument, type Query } from './arguments.ts';
import { FlowerError } from './flower-error.ts';
import { taskEntryText } from './task-json.ts';

/** Tasks whose children are looked up, and whose text is built, at once: bounds memory and the time the loop is held. */
const PAGE = 500;

const SORT_KEYS = ['name', 'received', 'started', 'state'] as const;

/** What `GET /api/tasks` asks for. */
export interface Listing {
  readonly filter: TaskFilter;
  readonly sort: TaskSort;
  /** Undefined = all. */
  readonly limit: number | undefined;
  readonly offset: number;
}

/**
 * Reads the arguments of `GET /api/tasks` in the order Flower checks them (flower/api/tasks.py `ListTasks`).
 * Differs from Flower on purpose: an empty `sort_by` is a 400 there is a text for, not a 500; text is not HTML-escaped;
 * a name that begins or ends with `*` is a pattern.
 *
 * @throws FlowerError
 */
export async function readListing(query: Query, history: HistoryReader): Promise<Listing> {
  const limit = intArgument(query, 'limit');
  const offset = Math.max(intArgument(query, 'offset') ?? 0, 0);
  const sort = readSort(argument(query, 'sort_by'));
  const receivedFrom = localMinuteArgument(query, 'received_start');
  const receivedTo = localMinuteArgument(query, 'received_end');
  const search = readSearch(argument(query, 'search') ?? '');
  const names = await anyCase(textFilter(query, 'taskname'), () => history.taskNames());
  const workers = await anyCase(textFilter(query, 'workername'), async () =>
    (await history.workers()).map((worker) => worker.hostname),
  );
  const state = textFilter(query, 'state');
  const filter: TaskFilter = {
    ...(names === undefined ? {} : { names }),
    ...(workers === undefined ? {} : { workers }),
    ...(state === undefined ? {} : { states: [state.toUpperCase()] }),
    ...(receivedFrom === undefined ? {} : { receivedFrom }),
    ...(receivedTo === undefined ? {} : { receivedTo }),
    ...(search === undefined ? {} : { search }),
  };
  return { filter, sort, limit: limit === undefined ? undefined : Math.max(limit, 0), offset };
}

/** The body in pieces of at most 500 tasks. The first piece asks the history: a failure shows before any byte is sent. */
export async function* listingText(history: HistoryReader, listing: Listing): AsyncGenerator<string, void, undefined> {
  let opened = false;
  for await (const tasks of pagesOf(history, listing)) {
    const children = await history.childrenOf(tasks.map((task) => task.taskId));
    const entries = tasks.map((task) => taskEntryText(task, children.get(task.taskId) ?? []));
    yield `${opened ? ', ' : '{'}${entries.join(', ')}`;
    opened = true;
  }
  yield opened ? '}' : '{}';
}

async function* pagesOf(history: HistoryReader, listing: Listing): AsyncGenerator<TaskRecord[], void, undefined> {
  const { filter, sort, limit, offset } = listing;
  if (limit === 0) return;
  if (limit !== undefined && limit <= PAGE) {
    const tasks = await history.listTasks(filter, sort, limit, offset);
    if (tasks.length > 0) yield tasks;
    return;
  }
  const end = limit === undefined ? Number.MAX_SAFE_INTEGER : Math.min(offset + limit, Number.MAX_SAFE_INTEGER);
  let skip = offset;
  let page: TaskRecord[] = [];
  for await (const task of history.exportTasks(filter, sort, end)) {
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    page.push(task);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function readSort(sortBy: string | undefined): TaskSort {
  if (sortBy === undefined) return { key: 'timestamp', descending: true };
  const key = SORT_KEYS.find((name) => name === sortBy.replace(/^-+/, ''));
  if (key === undefined) {
    throw new FlowerError(400, `Invalid sort_by '${escapeHtml(sortBy)}', expected one of ${SORT_KEYS.join(', ')}`);
  }
  return { key, descending: sortBy.startsWith('-') };
}

function readSearch(text: string) {
  try {
    return parseSearch(text);
  } catch (error) {
    if (error instanceof SearchError) throw new FlowerError(400, error.message, 'json');
    throw error;
  }
}

/** The word `All`, and nothing at all, filter nothing. */
function textFilter(query: Query, name: string): string | undefined {
  const value = argument(query, name);
  return value === undefined || value === '' || value === 'All' ? undefined : value;
}

/** Flower compares without regard to case, the history exactly: asks for every known spelling. */
async function anyCase(value: string | undefined, known: () => Promise<string[]>): Promise<string[] | undefined> {
  if (value === undefined) return undefined;
  const folded = casefold(value);
  const spellings = (await known()).filter((name) => casefold(name) === folded);
  return [...new Set([value, ...spellings])];
}
