import { describe, expect, it } from '@jest/globals';
import { runPython } from '../../../../test/support/python.ts';
import { argumentsFromEvents } from './event-arguments.ts';

/** Random arguments as Celery's producer prints them, with the JSON that it sends (null: JSON cannot hold them). */
const PYTHON = `
import json, random, sys, datetime, decimal, uuid
from celery.utils.saferepr import saferepr
rng = random.Random(11)
TEXTS = ['', 'a', "it's", 'say "x"', 'C:\\\\new', 'ends in \\\\', "\\\\'", "a', 'b", "', ", "'", 'line\\nbreak', 'tab\\t', 'ü ☃ 🎉',
         '...', 'True', '\\x00', '\\u2028', ', b', ':', 'x' * 300, 'some words that are cut ' * 20, '{}', '[1]', "b'x'", '(1,)']
def scalar():
    return rng.choice([
        lambda: None, lambda: True, lambda: False, lambda: rng.randint(-10, 10), lambda: rng.randint(-2**80, 2**80),
        lambda: rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30), lambda: 0.0, lambda: -0.0, lambda: 1.0, lambda: 1e16,
        lambda: rng.choice(TEXTS), lambda: rng.choice(TEXTS) + rng.choice(TEXTS)])()
def odd():
    return rng.choice([
        lambda: b'bytes', lambda: {1, 2}, lambda: set(), lambda: 1 + 2j, lambda: float('nan'), lambda: float('inf'),
        lambda: datetime.datetime(2026, 1, 2), lambda: decimal.Decimal('1.5'), lambda: uuid.UUID(int=7), lambda: object(),
        lambda: {1: 'one'}, lambda: {(1, 2): 3}, lambda: frozenset([1]), lambda: range(3)])()
def value(depth=0):
    roll = rng.random()
    if roll < 0.02: return odd()
    if depth > 3 or roll < 0.6: return scalar()
    if roll < 0.75: return [value(depth + 1) for _ in range(rng.randint(0, 3))]
    if roll < 0.85: return tuple(value(depth + 1) for _ in range(rng.randint(0, 3)))
    return {rng.choice(TEXTS): value(depth + 1) for _ in range(rng.randint(0, 3))}
def plain(v):
    if v is None or isinstance(v, (bool, int, str)): return True
    if isinstance(v, float): return v == v and abs(v) != float('inf')
    if isinstance(v, (list, tuple)): return all(map(plain, v))
    return isinstance(v, dict) and all(isinstance(k, str) for k in v) and all(map(plain, v.values()))
cases = []
for _ in range(4000):
    args = tuple(value() for _ in range(rng.randint(0, 3)))
    kwargs = {rng.choice(['a', 'key', 'to']): value() for _ in range(rng.randint(0, 2))}
    sent = [json.dumps(v, ensure_ascii=False) for v in (args, kwargs)] if plain(args) and plain(kwargs) else None
    cases.append([saferepr(args, 1024), saferepr(kwargs, 1024), sent])
json.dump(cases, sys.stdout)
`;

type Case = readonly [args: string, kwargs: string, sent: readonly [string, string] | null];

describe('arguments from the texts of events', () => {
  it('are those that were sent, or are refused: never others', async () => {
    const cases = JSON.parse(await runPython(PYTHON)) as Case[];
    let accepted = 0;
    const wrong = cases.filter(([args, kwargs, sent]) => {
      const told = argumentsFromEvents(args, kwargs);
      if (!told.ok) return false;
      accepted++;
      return sent === null || told.read.argsJson !== sent[0] || told.read.kwargsJson !== sent[1];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(accepted).toBeGreaterThan(cases.length / 3);
  }, 60_000);

  it.each([
    ['(1, 2.0)', "{'to': 'a@b', 'n': None}", '[1, 2.0]', '{"to": "a@b", "n": null}'],
    ["('it\\'s', (True, []))", '{}', '["it\'s", [true, []]]', '{}'],
    ['[123456789012345678901234567890]', '{}', '[123456789012345678901234567890]', '{}'],
    ["('a\nb',)", '{}', '["a\\nb"]', '{}'],
  ])('%s %s', (args, kwargs, argsJson, kwargsJson) => {
    expect(argumentsFromEvents(args, kwargs)).toEqual({ ok: true, read: { argsJson, kwargsJson } });
  });

  it.each([
    [null, '{}', 'the events tell no args'],
    ['()', null, 'the events tell no kwargs'],
    ["('xxx...',)", '{}', 'are cut'],
    ['([0, 1, ..., 22..., ...],)', '{}', 'are cut'],
    ['([[[...]]],)', '{}', 'are cut'],
    [`('${'x'.repeat(1030)}',)`, '{}', 'as long as a cut text'],
    ["('C:\\new',)", '{}', 'a backslash'],
    ["('x\\', 'y')", '{}', 'a backslash'],
    ["(b'ff00',)", '{}', 'hold bytes'],
    ['({1, 2},)', '{}', 'hold a set'],
    ['((1+2j),)', '{}', 'no plain value'],
    ['(datetime.datetime(2026, 1, 1),)', '{}', 'no plain value'],
    ['({1: 2},)', '{}', 'a key that is no text'],
    ['("it\'s",)', '{}', 'not written by Celery'],
    ['()', "{'password': '********'}", 'a secret is masked'],
    ['5', '{}', 'args are no list'],
    ['()', '[]', 'kwargs are no dictionary'],
  ])('%s %s: refused', (args, kwargs, reason) => {
    const told = argumentsFromEvents(args, kwargs);
    expect(told.ok ? told.read : told.reason).toContain(reason);
  });
});
