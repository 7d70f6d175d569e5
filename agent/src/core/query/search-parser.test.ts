import { describe, expect, it } from '@jest/globals';
import { runPython } from '../../../../test/support/python.ts';
import { matchesSearch } from './search-match.ts';
import type { Searchable } from './search-match.ts';
import { parseSearch, SearchError } from './search-parser.ts';

/** A seeded generator (mulberry32): the same queries in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const random = seeded(20260101);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] ?? (values[0] as T);
const many = <T>(most: number, make: () => T): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, make);

const PIECES = [
  ...[
    'add',
    'ADD',
    'failure',
    'state:',
    'STATE:success',
    'state:Failure',
    'name:',
    'name:app',
    'worker:celery@',
    'args:(1',
  ],
  ...[
    'kwargs:',
    'kwargs:run=r1',
    'KWARGS:n=1',
    'kwargs:"run = r1"',
    'kwargs:flag=true',
    'kwargs:none=',
    'kwargs:x=1.5',
  ],
  ...['result:', 'result:ok', 'foo:bar', 'foo:', '-add', 'AND', 'OR', 'NOT', 'and', 'or', '(', ')', '((', '))', '()'],
  ...[
    '"',
    '\\"',
    '\\\\',
    '\\',
    '"a b"',
    '""',
    ':',
    'name:"x y"',
    'ab',
    'abc',
    '100%',
    'a_b',
    'Straße',
    'STRASSE',
    'ΣΊΣΥΦΟΣ',
  ],
  ...[
    'İstanbul',
    'ſtate:success',
    '😀😀😀',
    '\u00a0',
    '\u2003',
    '\ufeff',
    '\u001c',
    '\u0085',
    '"AND"',
    'kwargs:deep=[1,',
    "'run'",
  ],
  ...['kwargs:"deep=[1, 2]"', "kwargs:quote=it's", 'kwargs:b=raw', 'kwargs:big=1e+16', 'kwargs:1=2'],
];
const BLANKS = [' ', ' ', ' ', '  ', '', '\t', '\n'];

function makeQuery(): string {
  const roll = random();
  if (roll < 0.01) return pick(['x', '😀', 'ab ', '(']).repeat(pick([64, 127, 128, 129, 682, 683, 1024, 2048, 2049]));
  return many(roll < 0.5 ? 4 : 10, () => pick(PIECES) + pick(BLANKS)).join('');
}

const KWARGS = [
  ...['{}', "{'run': 'r1', 'n': 1}", "{'RUN': 'R1'}", "{'flag': True, 'none': None}", "{'x': 1.5, 'deep': [1, 2]}"],
  ...[
    "{'quote': \"it's\"}",
    "{'b': b'raw'}",
    "{'big': 1e+16}",
    '{1: 2}',
    "{'run': 'r1', 'cut': ...}",
    "{'run': 'r1', ...}",
  ],
  ...["{'run': 'r1'", "{'a=b': 'c'}", "['run=r1']", "{'straße': 'ΣΊΣΥΦΟΣ'}", "{'n': -1, 'n': 1}", "{'t': (1,)}"],
];

function makeTask(index: number): Searchable {
  const maybe = (value: string): string | null => (random() < 0.15 ? null : value);
  return {
    taskId: `${String(index).padStart(8, '0')}-Abc0-4000-8000-abcdef123456`,
    name: maybe(pick(['app.add', 'app.Straße', 'APP.STRASSE', 'app.a_b', 'app.100%', 'app.σίσυφος'])),
    state: pick(['SUCCESS', 'FAILURE', 'PENDING', 'MY-STATE']),
    worker: maybe(pick(['celery@w1', 'Celery@W2', 'foo:bar@host'])),
    args: maybe(pick(['(1, 2)', "('a b', 'abc')", '("x y",)', "('i̇stanbul',)", "('😀😀😀',)", "('\\\\',)"])),
    kwargs: maybe(pick(KWARGS)),
    result: maybe(pick(["'ok'", 'None', 'ADDED 3', "{'and': 'or'}"])),
  };
}

const FLOWER = `
import json, sys
from types import SimpleNamespace
from flower.utils.search import TaskSearchEngine, QuerySyntaxError
data = json.load(sys.stdin)
engine = TaskSearchEngine()
engine.rebuild([(t['uuid'], SimpleNamespace(**t)) for t in data['tasks']])
answers = []
for query in data['queries']:
    try:
        answers.append(sorted(engine.matching_ids(query)))
    except QuerySyntaxError as error:
        answers.append(str(error))
json.dump(answers, sys.stdout)
`;

const QUERIES = 6000;

describe('parseSearch', () => {
  it("accepts, refuses and finds what Flower's own code does", async () => {
    const tasks = Array.from({ length: 60 }, (_, index) => makeTask(index));
    const queries = Array.from({ length: QUERIES }, makeQuery);
    const input = { queries, tasks: tasks.map(({ taskId, ...task }) => ({ uuid: taskId, ...task })) };
    const expected = JSON.parse(await runPython(FLOWER, JSON.stringify(input))) as (string | string[])[];
    const found = queries.map((query) => answer(query, tasks));
    queries.forEach((query, index) => expect([query, found[index]]).toEqual([query, expected[index]]));
    const refused = expected.filter((one) => typeof one === 'string');
    const texts = new Set(refused.map((one) => one.replace(/ at position \d+/, '')));
    expect(refused.length).toBeGreaterThan(QUERIES / 10);
    expect(expected.filter((one) => Array.isArray(one) && one.length > 0 && one.length < 60).length).toBeGreaterThan(
      200,
    );
    expect(texts.size).toBeGreaterThanOrEqual(14);
  }, 60_000);

  it('tells the position of the fault', () => {
    expect(() => parseSearch('😀😀😀 NOT abc')).toThrow(new SearchError('NOT is not supported', 4));
    expect(() => parseSearch('x'.repeat(2049))).toThrow('Query exceeds 2048 characters.');
  });
});

function answer(query: string, tasks: readonly Searchable[]): string | string[] {
  try {
    const node = parseSearch(query);
    return tasks
      .filter((task) => node === undefined || matchesSearch(node, task))
      .map((task) => task.taskId)
      .sort();
  } catch (error) {
    if (error instanceof SearchError) return error.message;
    throw error;
  }
}
