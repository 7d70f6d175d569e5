import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import { parsePythonLiteral, type PythonLiteral } from '../../agent/src/core/query/python-literal.ts';
import { pythonRepr } from '../../agent/src/core/query/python-repr.ts';
import { ClusterState } from '../../agent/src/core/state/cluster.ts';
import { STATE_OF_SUBJECT } from '../../agent/src/core/state/states.ts';
import { PickleError, pickleJson, pickleRepr, readPickle } from '../../agent/src/core/wire/pickle.ts';

const LIMIT = 1 << 20;

const leaf: fc.Arbitrary<PythonLiteral> = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.boolean().map((value) => ({ kind: 'bool', value }) as const),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).map((value) => ({ kind: 'int', value }) as const),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ kind: 'float', value }) as const),
  fc.string({ unit: 'binary' }).map((value) => ({ kind: 'str', value }) as const),
  fc.uint8Array({ maxLength: 20 }).map((value) => ({ kind: 'bytes', value }) as const),
);

const { literal } = fc.letrec<{ literal: PythonLiteral }>((tie) => ({
  literal: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom('list' as const, 'tuple' as const), fc.array(tie('literal'), { maxLength: 4 }))
      .map(([kind, items]) => ({ kind, items })),
    fc
      .uniqueArray(fc.tuple(leaf, tie('literal')), { maxLength: 4, selector: ([key]) => pythonRepr(key) })
      .map((entries) => ({ kind: 'dict' as const, entries })),
  ),
}));

describe('the reader of Python literals', () => {
  it('reads back what a repr says', () => {
    fc.assert(
      fc.property(literal, (value) => {
        // Equal numbers of two types are one key: 1, 1.0 and True.
        const repr = pythonRepr(value);
        const read = parsePythonLiteral(repr);
        expect(read).toBeDefined();
        if (read !== undefined && !hasEqualKeys(value)) expect(pythonRepr(read)).toBe(repr);
      }),
      { numRuns: 500 },
    );
  });

  it('takes any text, and refuses what is cut', () => {
    fc.assert(
      fc.property(literal, fc.string({ unit: 'binary' }), fc.nat(), (value, text, at) => {
        parsePythonLiteral(text);
        const items = pythonRepr({ kind: 'list', items: [value] });
        expect(parsePythonLiteral(items.slice(0, at % items.length))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

function hasEqualKeys(value: PythonLiteral): boolean {
  if (value.kind === 'dict') {
    const numbers = value.entries.filter(([key]) => ['bool', 'int', 'float'].includes(key.kind));
    return numbers.length > 1 || value.entries.some(([, item]) => hasEqualKeys(item));
  }
  return 'items' in value && value.items.some(hasEqualKeys);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** As Python writes it in protocol 2, without its memo. */
function pickled(value: Json): Buffer {
  if (value === null) return Buffer.from('N');
  if (typeof value === 'boolean') return Buffer.from([value ? 0x88 : 0x89]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(5, 'J');
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') {
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(Buffer.byteLength(value), 1);
    return Buffer.concat([head, Buffer.from(value)]);
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(']('), ...value.map(pickled), Buffer.from('e')]);
  const entries = Object.entries(value).flatMap(([key, item]) => [pickled(key), pickled(item)]);
  return Buffer.concat([Buffer.from('}('), ...entries, Buffer.from('u')]);
}

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ unit: 'grapheme' })),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('json'),
      { maxKeys: 4 },
    ),
  ),
}));

const framed = (value: Json): Buffer => Buffer.concat([Buffer.from([0x80, 2]), pickled(value), Buffer.from('.')]);

describe('the reader of pickles', () => {
  it('gives the value that was written', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(pickleJson(readPickle(framed(value)), LIMIT) ?? '')).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('takes any bytes: a value that can be shown, or PickleError', () => {
    const changed = fc
      .tuple(json, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([value, changes]) => {
        const bytes = framed(value);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array()), (bytes) => {
        try {
          const value = readPickle(bytes);
          expect(typeof pickleRepr(value, 1000)).toBe('string');
          pickleJson(value, 1000);
        } catch (error) {
          expect(error).toBeInstanceOf(PickleError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

const subject = fc.constantFrom(...STATE_OF_SUBJECT.keys(), 'own', '');
const body = fc.record(
  {
    type: fc.oneof(
      { weight: 5, arbitrary: subject.map((name) => `task-${name}`) },
      { weight: 1, arbitrary: fc.string() },
    ),
    uuid: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a', 'b') }, { weight: 1, arbitrary: json }),
    hostname: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('w@a', 'w@b') }, { weight: 1, arbitrary: json }),
    timestamp: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 100 }) }, { weight: 1, arbitrary: json }),
    ...{ clock: json, name: json, args: json, state: json, started: json, worker: json, retries: json },
  },
  { requiredKeys: ['type', 'uuid', 'hostname', 'timestamp'] },
);

describe('the reader of states', () => {
  it('takes whatever an event says, each event once, and keeps its members of the types they have', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 12 }), (bodies) => {
        const payload = Buffer.from(JSON.stringify(bodies));
        const message = {
          receivedMs: 5,
          routingKey: 'task.multi',
          payload,
          properties: { contentType: 'application/json' },
        };
        const { events, rejects } = decodeMessage(message);
        expect(events.length + rejects.length).toBe(bodies.length);
        const cluster = new ClusterState({ openTasks: 9, finishedTasks: 9, workers: 9, recentEvents: 100 });
        const first = events.map((event) => cluster.apply(event, 5) !== undefined);
        expect(first.filter(Boolean).length).toBe(new Set(events.map(({ identity }) => identity)).size);
        const before = JSON.stringify([cluster.task('a'), cluster.task('b')]);
        for (const event of events) expect(cluster.apply(event, 6)).toBeUndefined();
        expect(JSON.stringify([cluster.task('a'), cluster.task('b')])).toBe(before);
        for (const task of [cluster.task('a'), cluster.task('b')]) {
          if (task === undefined) continue;
          expect([typeof task.state, typeof task.clock, typeof task.timestamp]).toEqual(['string', 'number', 'number']);
          for (const name of ['started', 'worker'] as const) {
            expect([null, name === 'worker' ? 'string' : 'number']).toContain(
              task[name] === null ? null : typeof task[name],
            );
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
