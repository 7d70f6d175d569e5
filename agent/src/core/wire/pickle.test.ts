import { describe, expect, it } from '@jest/globals';
import { runPython } from '../../../../test/support/python.ts';
import { looksPickled, PickleError, pickleJson, pickleRepr, readPickle } from './pickle.ts';

const LIMIT = 100_000;

/** Pickles of `values` (a Python list) in every protocol, with what Python says of each value. */
async function pickled(values: string): Promise<{ protocol: number; repr: string; bytes: Buffer }[]> {
  const script = `
import base64, collections, datetime, decimal, json, pickle, uuid
class Colour:
    def __init__(self, name): self.name = name
class Listed(list): pass
cyclic = [1]; cyclic.append(cyclic)
values = ${values}
print(json.dumps([{'protocol': p, 'repr': repr(v), 'bytes': base64.b64encode(pickle.dumps(v, p)).decode()}
    for p in range(6) for v in values]))
`;
  const rows = JSON.parse(await runPython(script)) as { protocol: number; repr: string; bytes: string }[];
  return rows.map((row) => ({ ...row, bytes: Buffer.from(row.bytes, 'base64') }));
}

/** A class of the test's own is known by its name only. */
const shown = (bytes: Buffer): string => pickleRepr(readPickle(bytes), LIMIT);

describe('pickles of every protocol', () => {
  it('read back as Python writes them down', async () => {
    const rows =
      await pickled(`[None, True, False, 0, 255, 65536, -1, 2**31, -2**63, 10**60, -10**400, 1.5, float('inf'),
      'text', 'ünï☃𝄞\\n\\\\', "it's", '', b'', b'bytes\\x00\\xff', [], [1, [2, (3,)]], (), (1,), (1, 2), (1, 2, 3, 4),
      {}, {'a': 1, 'b': [None]}, {(1, 2): 'x', 3: {'y': b'z'}}, set(), {7}, [('a', 'a')] * 3, list(range(3000)),
      datetime.datetime(2026, 7, 1, 2, 3), datetime.datetime(2026, 7, 1, 2, 3, 4, 5),
      datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), datetime.date(1999, 12, 31),
      decimal.Decimal('12.340'), uuid.UUID(int=5), [uuid.UUID(int=7)] * 2, 'x' * 100000, frozenset([1])]`);
    for (const { protocol, repr, bytes } of rows) {
      expect(`${protocol} ${pickleRepr(readPickle(bytes), 1 << 20)}`).toBe(`${protocol} ${repr}`);
    }
    expect(rows.length).toBe(6 * 41);
    expect(rows.filter(({ bytes }) => looksPickled(bytes)).length).toBe(4 * 41);
  }, 30_000);

  it('give JSON as kombu would, where they have one', async () => {
    const rows = await pickled(`[{'n': 10**30, 'f': 1.0, 't': (1, 'x'), 'd': decimal.Decimal('1.10'),
      'at': datetime.datetime(2026, 7, 1, 2, 3, 4, 500, datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))),
      'id': uuid.UUID(int=255)}]`);
    for (const { bytes } of rows) {
      expect(pickleJson(readPickle(bytes), LIMIT)).toBe(
        `{"n": 1${'0'.repeat(30)}, "f": 1.0, "t": [1, "x"], "d": {"__type__": "decimal", "__value__": "1.10"}, ` +
          '"at": {"__type__": "datetime", "__value__": "2026-07-01T02:03:04.000500-03:30"}, ' +
          `"id": {"__type__": "uuid", "__value__": {"hex": "${'0'.repeat(30)}ff"}}}`,
      );
    }
    for (const { bytes } of await pickled(`[{1: 2}, {3}, float('nan'), Colour('red'), cyclic, ValueError('x')]`)) {
      expect(pickleJson(readPickle(bytes), LIMIT)).toBeUndefined();
    }
  }, 30_000);

  it('name what they do not know, and never make it', async () => {
    const rows = await pickled(`[Colour('red'), ValueError('boom', 3), Listed([1, 2]), collections.OrderedDict(a=1),
      collections.defaultdict(list, {'k': [1]}), cyclic, len]`);
    for (const protocol of [0, 1, 2, 3, 4, 5]) {
      const texts = rows.filter((row) => row.protocol === protocol).map(({ bytes }) => shown(bytes));
      expect(texts[0]).toBe("<__main__.Colour() {'name': 'red'}>");
      expect(texts[1]).toMatch(/^<(builtins|exceptions)\.ValueError\('boom', 3\)>$/);
      expect(texts[2]).toMatch(/^<__main__\.Listed\((\[1, 2\])?\)( \[1, 2\])?>$/);
      expect(texts[3]).toBe("{'a': 1}");
      expect(texts[4]).toBe("{'k': [1]}");
      expect(texts[5]).toBe('[1, ...]');
      expect(texts[6]).toMatch(/^<(builtins|__builtin__)\.len>$/);
    }
  }, 30_000);
});

describe('hostile pickles', () => {
  it('are shown, not run', async () => {
    const script = `
import base64, json, os, pickle
class A:
    def __reduce__(self): return (os.system, ('touch /nowhere/pwned',))
class B:
    def __reduce__(self): return (eval, ("__import__('os').abort()",))
print(json.dumps([base64.b64encode(pickle.dumps(c(), p)).decode() for c in (A, B) for p in range(6)]
    + [base64.b64encode(b"(S'rm -rf x'\\nios\\nsystem\\n.").decode()]))`;
    const all = (JSON.parse(await runPython(script)) as string[]).map((text) => shown(Buffer.from(text, 'base64')));
    expect(new Set(all)).toEqual(
      new Set([
        "<posix.system('touch /nowhere/pwned')>",
        '<builtins.eval("__import__(\'os\').abort()")>',
        '<__builtin__.eval("__import__(\'os\').abort()")>',
        "<os.system('rm -rf x')>",
      ]),
    );
  });

  it('stay small where they announce or multiply much', () => {
    const announced = [
      Buffer.from([0x80, 4, 0x8e, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0x2e]),
      Buffer.from([0x80, 4, 0x42, 255, 255, 255, 255, 0x2e]),
      Buffer.from([0x8b, 255, 255, 255, 255, 0x2e]),
    ];
    for (const bytes of announced) expect(() => readPickle(bytes)).toThrow(PickleError);

    // Each level is a tuple of the one below, ten times: 10^40 values in 800 bytes.
    const laughs: number[] = [0x80, 4, 0x8c, 3, 0x6c, 0x6f, 0x6c, 0x94];
    for (let level = 0; level < 40; level++) {
      laughs.push(0x28);
      for (let i = 0; i < 10; i++) laughs.push(0x68, level);
      laughs.push(0x74, 0x94);
    }
    const value = readPickle(Buffer.from([...laughs, 0x2e]));
    expect(pickleRepr(value, 1000)).toHaveLength(1000);
    expect(pickleRepr(value, 1000)).toMatch(/\.\.\.$/);
    expect(pickleJson(value, 1000)).toBeUndefined();

    const deep = Buffer.concat([Buffer.alloc(100_000, ']'), Buffer.alloc(99_999, 'a'), Buffer.from('.')]);
    expect(pickleRepr(readPickle(deep), LIMIT)).toMatch(/^\[{200}\.\.\.\]{200}$/);
    expect(pickleJson(readPickle(deep), LIMIT)).toBeUndefined();
    expect(() => readPickle(deep, { maxOps: 1000 })).toThrow(/instructions/);
    expect(() => readPickle(deep, { maxBytes: 1000 })).toThrow(/more than 1000/);
  });

  it('cannot have large values copied over and over', () => {
    const list = Buffer.concat([
      Buffer.from('](', 'latin1'),
      Buffer.alloc(100_000, 'N'),
      Buffer.from('eq\0', 'latin1'),
    ]);
    const copies: readonly (readonly [string, string])[] = [
      ['cbuiltins\nset\n', '\x85R'],
      ['ccopyreg\n__newobj__\n', '\x85R'],
      ['cbuiltins\nlist\n', '\x85\x81'],
    ];
    for (const [callable, call] of copies) {
      const once = Buffer.from(`${callable}h\0${call}0`, 'latin1');
      const bytes = Buffer.concat([list, ...Array<Buffer>(1000).fill(once), Buffer.from('.')]);
      expect(() => readPickle(bytes)).toThrow(/instructions/);
    }
    const text = Buffer.concat([
      Buffer.from([0x58, 0x40, 0x42, 0x0f, 0]),
      Buffer.alloc(1_000_000, 'x'),
      Buffer.from('q\0'),
    ]);
    const encode = Buffer.from('c_codecs\nencode\nh\0U\x06latin1\x86R0', 'latin1');
    expect(() => readPickle(Buffer.concat([text, ...Array<Buffer>(1000).fill(encode)]))).toThrow(/instructions/);
  });

  it('fail with one kind of error, however they are broken', async () => {
    const rows = await pickled(`[{'a': [1, 2.5, (b'x', {3})], 'd': datetime.datetime(2026, 1, 1), 'o': Colour('x'),
      'u': uuid.UUID(int=5), 'n': 2**70, 'w': decimal.Decimal('2'), 'e': ValueError('x')}]`);
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    const attempt = (bytes: Buffer): 'read' | 'refused' => {
      try {
        const value = readPickle(bytes);
        pickleRepr(value, 2000);
        pickleJson(value, 2000);
        return 'read';
      } catch (error) {
        if (!(error instanceof PickleError)) throw error;
        return 'refused';
      }
    };
    const outcomes = new Map([
      ['read', 0],
      ['refused', 0],
    ]);
    for (const { bytes } of rows) {
      for (let end = 0; end < bytes.length; end++) expect(attempt(bytes.subarray(0, end))).toBe('refused');
      for (let turn = 0; turn < 1500; turn++) {
        const broken = Buffer.from(bytes);
        for (let i = 0; i <= random(3); i++) broken[random(broken.length)] = random(256);
        const outcome = attempt(broken);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    }
    for (let turn = 0; turn < 5000; turn++) {
      attempt(Buffer.from(Array.from({ length: 1 + random(60) }, () => random(256))));
    }
    expect(Math.min(...outcomes.values())).toBeGreaterThan(1000);
  }, 30_000);
});
