import { describe, expect, it } from '@jest/globals';
import { runPython } from '../../../../test/support/python.ts';
import { parsePythonLiteral } from './python-literal.ts';
import { pythonRepr } from './python-repr.ts';

/**
 * Makes texts: reprs of random values, the same cut, changed or with characters put in; and what `ast.literal_eval`
 * says to each: the repr of the value, or null. Sets get at most one member: their order is the interpreter's.
 */
const PYTHON = `
import ast, json, random, sys, warnings
warnings.simplefilter('ignore')
rng = random.Random(7)
TEXTS = ['', 'a', "it's", 'say "x"', "both ' and \\"", 'C:\\\\new', 'line\\nbreak', 'tab\\t', 'umlaut ü', '😀', '\\x00', '\\x7f',
         '\\xad', '\\u200b', '\\u2028', '...', 'True', "\\\\'", '\\U0010ffff', '\\u3000']
def scalar():
    return rng.choice([
        lambda: None, lambda: True, lambda: False, lambda: rng.randint(-10, 10), lambda: rng.randint(-2**80, 2**80),
        lambda: rng.uniform(-1, 1), lambda: rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30), lambda: 0.0, lambda: -0.0,
        lambda: float(rng.randint(-10**18, 10**18)), lambda: 1e16, lambda: 1e-5, lambda: 123456789012345680.0,
        lambda: rng.choice(TEXTS), lambda: rng.choice(TEXTS) + rng.choice(TEXTS), lambda: bytes(rng.randbytes(3)),
        lambda: b"it's", lambda: b'\\\\"'])()
def value(depth=0):
    roll = rng.random()
    if depth > 4 or roll < 0.4: return scalar()
    if roll < 0.55: return [value(depth + 1) for _ in range(rng.randint(0, 4))]
    if roll < 0.7: return tuple(value(depth + 1) for _ in range(rng.randint(0, 3)))
    if roll < 0.75: return {scalar() for _ in range(rng.randint(0, 1))}
    return {scalar(): value(depth + 1) for _ in range(rng.randint(0, 4))}
def mutate(text):
    roll, at = rng.random(), rng.randint(0, len(text))
    if roll < 0.4: return text[:at]
    if roll < 0.5: return text[:at] + text[at + 1:]
    return text[:at] + rng.choice(list('()[]{},:\\'" \\n\\t\\\\bnxuNUj.-+e01_#r') + ['...', 'None', "''", 'set()', '\\\\x4', '007']) + text[at:]
def judge(text):
    try:
        return repr(ast.literal_eval(text))
    except Exception:
        return None
cases = []
for _ in range(4000):
    text = repr(value())
    cases.append((text, judge(text), True))
    changed = mutate(text)
    cases.append((changed, judge(changed), False))
json.dump(cases, sys.stdout)
`;

describe('parsePythonLiteral', () => {
  it('reads every repr as ast.literal_eval does, and accepts nothing that Python refuses', async () => {
    const cases = JSON.parse(await runPython(PYTHON)) as [string, string | null, boolean][];
    let refused = 0;
    for (const [text, expected, isRepr] of cases) {
      const literal = parsePythonLiteral(text, { allowEllipsis: true });
      const found = literal === undefined ? null : pythonRepr(literal);
      if (found === null) refused += 1;
      // A text that no repr makes may be refused though Python reads it; the other way round it is a fault.
      if (isRepr || found !== null) expect([text, found]).toEqual([text, expected]);
    }
    const refusedByPython = cases.filter(([, expected]) => expected === null).length;
    expect(refusedByPython).toBeGreaterThan(1000);
    expect(refused - refusedByPython).toBeLessThan(cases.length * 0.02);
  }, 60_000);

  it('refuses cut reprs, unless the ellipsis is asked for', () => {
    expect(parsePythonLiteral("{'a': ...}")).toBeUndefined();
    expect(parsePythonLiteral("{'a': 1, ...}", { allowEllipsis: true })).toBeUndefined();
    expect(parsePythonLiteral("('xxx...', ...")).toBeUndefined();
  });

  it('keeps to its limits', () => {
    expect(parsePythonLiteral('['.repeat(100_000))).toBeUndefined();
    expect(parsePythonLiteral(`${'['.repeat(65)}${']'.repeat(65)}`)).toBeDefined();
    expect(parsePythonLiteral(`${'['.repeat(66)}${']'.repeat(66)}`)).toBeUndefined();
    expect(parsePythonLiteral(`'${'x'.repeat(300_000)}'`)).toBeUndefined();
    expect(parsePythonLiteral('9'.repeat(4301))).toBeUndefined();
  });

  it('takes bytes of any length, and keys of any depth', () => {
    expect(parsePythonLiteral(`b'${'x'.repeat(200_000)}'`)).toMatchObject({ value: { length: 200_000 } });
    const nested = `${'('.repeat(60)}1${',)'.repeat(60)}`;
    expect(pythonRepr(parsePythonLiteral(`{${nested}: 1, ${nested}: 2}`) ?? { kind: 'none' })).toBe(`{${nested}: 2}`);
    const near = ["('a', 'b')", "('a1:b',)", "('a', 1)", "(('a', 'b'),)", "('a',)", "(b'a',)"];
    const all = parsePythonLiteral(`{${near.map((key) => `${key}: 1`).join(', ')}}`);
    expect(all?.kind === 'dict' && all.entries.length).toBe(near.length);
  });
});
