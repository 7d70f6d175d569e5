import { beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { casefold } from '../../../core/query/casefold.ts';
import type { TaskFilter } from '../../../core/query/filter.ts';
import { matchesSearch } from '../../../core/query/search-match.ts';
import { parseSearch } from '../../../core/query/search-parser.ts';
import { NOON } from '../history.testkit.ts';
import { idsOf, openReadKit, type ReadKit } from './read.testkit.ts';

/** Few values and many nulls, so that most filters find some; with the characters that patterns and texts are made of. */
const NAMES = ['app.add', 'App.add', 'app.a_b', 'app.axb', 'a%b', 'a\\b', 'Straße', null];
const STATES = ['SUCCESS', 'FAILURE', 'MY_STATE', 'MYSTATE', 'STARTED'];
const WORKERS = ['celery@one', 'celery@two', null];
const QUEUES = ['high', 'high_2', 'low', null];
const IDS = ['r1', 'r2', '%', null];
const TYPES = ['ValueError', 'OSError', null];
const TEXTS = ["('x',)", "('X%_',)", "('STRASSE',)", "('straße',)", "{'run': 'r1', 'n': 1}", "{'run': 'r10'}", null];
const MARKS = ['healed', 'orphaned', 'replaced', null];
const SECONDS = [NOON, NOON + 0.25, NOON + 1 / 3, NOON + 2, null];
const RUNTIMES = [0.1, 0.25, 2, null];

const pick = <T>(values: readonly T[], index: number): T => values[index % values.length] ?? (values.at(-1) as T);
const ROWS = Array.from({ length: 300 }, (_, i) => ({
  task_id: `${i % 3 === 0 ? 'r' : 'task-'}${i}`,
  timestamp: pick(SECONDS.slice(0, -1) as number[], i * 7),
  name: pick(NAMES, i * 5),
  state: pick(STATES, i * 3),
  worker: pick(WORKERS, i * 11),
  queue: pick(QUEUES, i * 13),
  root_id: i % 6 === 0 ? `r${i}` : pick(IDS, i),
  parent_id: pick(IDS, i * 17),
  exception_type: pick(TYPES, i * 19),
  fingerprint: pick(IDS, i * 23),
  received: pick(SECONDS, i * 29),
  runtime: pick(RUNTIMES, i * 31),
  args: pick(TEXTS, i * 37),
  kwargs: pick(TEXTS, i * 41),
  result: pick(TEXTS, i * 43),
  exception: pick(TEXTS, i * 47),
  mark: pick(MARKS, i * 53),
}));
type Row = (typeof ROWS)[number];

type Rule<K extends keyof TaskFilter> = readonly [
  values: fc.Arbitrary<Required<TaskFilter>[K]>,
  /** Whether the row passes, by what core/query/filter.ts says of the member. */
  passes: (value: Required<TaskFilter>[K], row: Row, filter: TaskFilter) => boolean,
];

const some = <T>(values: readonly (T | null)[], ...more: readonly T[]): fc.Arbitrary<T[]> =>
  fc.array(fc.constantFrom(...values.filter((value) => value !== null), ...more), { maxLength: 3 });
const one = <T>(...values: readonly (T | null)[]): fc.Arbitrary<T> =>
  fc.constantFrom(...values.filter((value) => value !== null));
const PATTERNS = ['app.*', '*add', '*a*', '*', '**', 'app.a_*', '*%*', '*\\b', 'nothing', '\0*', 'app.add\0'];

function isNamed(value: string | null, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (value === null) return false;
    const [isOpen, isOpenEnd] = [pattern.startsWith('*'), pattern.endsWith('*')];
    const text = pattern.replace(/^\*/, '').replace(/\*$/, '');
    if (isOpen && isOpenEnd) return value.includes(text);
    if (isOpen) return value.endsWith(text);
    return isOpenEnd ? value.startsWith(text) : value === text;
  });
}

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
/** What docs/decisions/0002 says: a text of ASCII alone is compared without regard to the case of ASCII letters. */
function contains(value: string | null, text: string): boolean {
  const fold = /^[\0-\x7f]*$/.test(text) ? asciiLower : casefold;
  return text === '' || (value !== null && fold(value).includes(fold(text)));
}

const wanted = (values: readonly (string | null)[], read: (row: Row) => string | null) =>
  [some(values, ...PATTERNS), (named: readonly string[], row: Row) => isNamed(read(row), named)] as const;
const unwanted = (values: readonly (string | null)[], read: (row: Row) => string | null) =>
  [some(values, ...PATTERNS), (named: readonly string[], row: Row) => !isNamed(read(row), named)] as const;
const equal = (read: (row: Row) => string | null) =>
  [one(...IDS, 'r6', '\0'), (id: string, row: Row) => read(row) === id] as const;
const text = (read: (row: Row) => string | null) =>
  [
    one('', 'x', 'X', '%', '_', 'straße', "'r1'", 'N', '\0'),
    (part: string, row: Row) => contains(read(row), part),
  ] as const;
const marked = (mark: string) =>
  [fc.boolean(), (isWanted: boolean, row: Row) => (row.mark === mark) === isWanted] as const;
const milliseconds = one(...SECONDS.map((seconds) => (seconds === null ? null : seconds * 1000)));
const atLeast = (value: number | null, bound: number | undefined): boolean =>
  bound === undefined || (value ?? NaN) >= bound;
const atMost = (value: number | null, bound: number | undefined): boolean =>
  bound === undefined || (value ?? NaN) <= bound;

function isReceived({ received }: Row, { receivedFrom, receivedTo, receivedOnly }: TaskFilter): boolean {
  if (received === null && receivedOnly !== true) return true;
  return atLeast(received, receivedFrom) && atMost(received, receivedTo);
}

const search = one(
  ...['add', 'APP', 'straße', 'run', 'state:success', 'kwargs:run=r1', 'args:X%_ OR two', 'one kwargs:n=1'],
).map((query) => {
  const parsed = parseSearch(query);
  if (parsed === undefined) throw new Error(`no search: ${query}`);
  return parsed;
});

const RULES: { readonly [K in keyof Required<TaskFilter>]: Rule<K> } = {
  ids: [
    some(
      ROWS.map((row) => row.task_id),
      'r*',
      '\0',
    ),
    (ids, row) => ids.includes(row.task_id),
  ],
  names: wanted(NAMES, (row) => row.name),
  states: [some(STATES, 'MY*'), (states, row) => states.includes(row.state)],
  workers: wanted(WORKERS, (row) => row.worker),
  queues: wanted(QUEUES, (row) => row.queue),
  exceptionTypes: wanted(TYPES, (row) => row.exception_type),
  notNames: unwanted(NAMES, (row) => row.name),
  notStates: [some(STATES, 'MY*'), (states, row) => !states.includes(row.state)],
  notWorkers: unwanted(WORKERS, (row) => row.worker),
  notQueues: unwanted(QUEUES, (row) => row.queue),
  notExceptionTypes: unwanted(TYPES, (row) => row.exception_type),
  rootId: equal((row) => row.root_id),
  parentId: equal((row) => row.parent_id),
  fingerprint: equal((row) => row.fingerprint),
  fromMs: [milliseconds, (from, row) => row.timestamp >= from / 1000],
  toMs: [milliseconds, (to, row) => row.timestamp < to / 1000],
  receivedFrom: [one(...SECONDS), (_, row, filter) => isReceived(row, filter)],
  receivedTo: [one(...SECONDS), (_, row, filter) => isReceived(row, filter)],
  receivedOnly: [
    fc.boolean(),
    (_, row, filter) =>
      (filter.receivedFrom === undefined && filter.receivedTo === undefined) || isReceived(row, filter),
  ],
  runtimeMin: [one(...RUNTIMES), (least, row) => atLeast(row.runtime, least)],
  runtimeMax: [one(...RUNTIMES), (most, row) => atMost(row.runtime, most)],
  argsText: text((row) => row.args),
  kwargsText: text((row) => row.kwargs),
  resultText: text((row) => row.result),
  exceptionText: text((row) => row.exception),
  orphaned: marked('orphaned'),
  healed: marked('healed'),
  search: [search, (node, row) => matchesSearch(node, { ...row, taskId: row.task_id })],
};
const MEMBERS = Object.keys(RULES) as (keyof TaskFilter)[];

const filters: fc.Arbitrary<TaskFilter> = fc.subarray(MEMBERS, { minLength: 1, maxLength: 3 }).chain((members) => {
  const values = members.map((member): [string, fc.Arbitrary<unknown>] => [member, RULES[member][0]]);
  return fc.record(Object.fromEntries(values)) as fc.Arbitrary<TaskFilter>;
});

function passes(filter: TaskFilter, row: Row): boolean {
  return MEMBERS.every((member) => {
    const passesOne = RULES[member][1] as (value: unknown, row: Row, filter: TaskFilter) => boolean;
    return filter[member] === undefined || passesOne(filter[member], row, filter);
  });
}

let kit: ReadKit;
beforeAll(async () => {
  kit = await openReadKit();
  await kit.insertTasks(ROWS);
});

it('a filter finds the tasks that pass it, and counts them', async () => {
  let [found, cut] = [0, 0];
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const expected = ROWS.filter((row) => passes(filter, row)).map((row) => row.task_id);
      expect((await idsOf(kit.reader, filter)).sort()).toEqual(expected.sort());
      expect(await kit.reader.countTasks(filter, 1000)).toBe(expected.length);
      found += expected.length > 0 ? 1 : 0;
      cut += expected.length < ROWS.length ? 1 : 0;
    }),
    { numRuns: 150 },
  );
  // Not all of them find nothing, or everything.
  expect(found).toBeGreaterThan(60);
  expect(cut).toBeGreaterThan(90);
}, 60_000);
