import { describe, expect, it } from '@jest/globals';
import { Chance } from '../differential/streams.testkit.ts';
import { readCorpus, writeCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import type { Target } from './target.ts';
import { TEXT_TARGETS } from './text-targets.ts';
import { WIRE_TARGETS } from './wire-targets.ts';

const TARGETS = [...WIRE_TARGETS, ...TEXT_TARGETS];
/** New inputs of each target in the suite; `UMBEL_FUZZ_SECONDS` looks for so long, and keeps what runs other code. */
const USUAL_RUNS = 300;
const SECONDS = Number(process.env['UMBEL_FUZZ_SECONDS'] ?? 0);
/** A kept input is at most so long, so that a corpus of hundreds stays small. */
const KEPT_BYTES = 160;
const KEPT_INPUTS = 120;

/** The same error with its input, which alone tells what to mend. */
function run({ name, check }: Target, bytes: Buffer): void {
  try {
    check(bytes);
  } catch (error) {
    const input = JSON.stringify(bytes.toString('latin1'));
    throw new Error(
      `${name} fails on ${input}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      { cause: error },
    );
  }
}

const seedsOf = ({ name, seeds }: Target): Buffer[] => [...seeds.map((seed) => Buffer.from(seed)), ...readCorpus(name)];

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_name, target) => {
  it('takes its seeds, and every input that was kept', () => {
    for (const bytes of seedsOf(target)) run(target, bytes);
  });

  it('takes what is like them', () => {
    const inputs = seedsOf(target);
    const chance = new Chance(1);
    for (let i = 0; i < USUAL_RUNS; i++)
      run(target, mutated(inputs[chance.below(inputs.length)] ?? Buffer.alloc(0), inputs, chance));
  });

  (SECONDS > 0 ? it : it.skip)(
    `runs for ${SECONDS} s, and keeps the inputs that reach other code`,
    () => explore(target),
    SECONDS * 2000 + 60_000,
  );
});

/** Inputs between two looks at the coverage. */
const BATCH = 100;

function explore(target: Target): void {
  const chance = new Chance(Date.now() | 0);
  const coverage = new Coverage();
  const [inputs, kept] = [seedsOf(target), readCorpus(target.name)];
  const failures = new Map<string, Buffer>();
  let runs = 0;
  let slowest: { readonly ms: number; readonly bytes: Buffer } = { ms: 0, bytes: Buffer.alloc(0) };
  const attempt = (bytes: Buffer): void => {
    const started = performance.now();
    try {
      target.check(bytes);
    } catch (error) {
      const kind = String(error instanceof Error ? error.message : error)
        .replace(/".*|\d+/gs, '')
        .slice(0, 80);
      if (bytes.length < (failures.get(kind)?.length ?? Infinity)) failures.set(kind, bytes);
    }
    const ms = performance.now() - started;
    if (ms > slowest.ms) slowest = { ms, bytes };
  };
  /** Those of the inputs that reach other code, found by halves: to ask for the coverage after each would take minutes. */
  const keepNew = (batch: readonly Buffer[]): void => {
    for (const bytes of batch) attempt(bytes);
    const [first] = batch;
    if (!coverage.isNew({ remember: batch.length === 1 }) || first === undefined) return;
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      keepNew(batch.slice(0, half));
      keepNew(batch.slice(half));
      return;
    }
    inputs.push(first);
    if (first.length <= KEPT_BYTES && kept.length < KEPT_INPUTS) kept.push(first);
  };
  for (const bytes of inputs) attempt(bytes);
  coverage.isNew({ remember: true });
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; runs += BATCH) {
    const batch = Array.from({ length: BATCH }, () =>
      mutated(inputs[chance.below(inputs.length)] ?? Buffer.alloc(0), inputs, chance),
    );
    for (const bytes of batch) attempt(bytes);
    if (coverage.isNew({ remember: false })) keepNew(batch);
  }
  coverage.close();
  writeCorpus(target.name, kept);
  const worst = `${slowest.ms.toFixed(0)} ms for ${JSON.stringify(slowest.bytes.toString('latin1').slice(0, 80))}`;
  console.log(`${target.name}: ${runs} runs, ${inputs.length} inputs, ${kept.length} kept, slowest ${worst}`);
  expect([...failures].map(([kind, bytes]) => [kind, JSON.stringify(bytes.toString('latin1'))])).toEqual([]);
}
