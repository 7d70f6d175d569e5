import type { Clock } from '../lib/clock.ts';
import { type Check, failed, type Finding, reasonOf, within } from './check.ts';

/** Longest time one check may take, ms. */
const CHECK_TIMEOUT_MS = 30_000;
const TIMED_OUT_ADVICE = 'Look whether a firewall drops the packets, and try again.';

export interface DoctorOutput {
  /** One line without its end. */
  line(text: string): void;
  /** JSON instead of text; default false. */
  readonly json?: boolean;
}

/**
 * Runs all checks at the same time and prints what they found, in the order of the checks, each as soon as those before
 * it are done. Resolves to the exit code: 1 when a check failed, else 0. Never rejects.
 */
export async function runDoctor(
  checks: readonly Check[],
  output: DoctorOutput,
  { clock, timeoutMs = CHECK_TIMEOUT_MS }: { readonly clock: Clock; readonly timeoutMs?: number },
): Promise<0 | 1> {
  const running = checks.map((check) => ({ name: check.name, findings: runOne(check, clock, timeoutMs) }));
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const all: { readonly check: string; readonly findings: readonly Finding[] }[] = [];
  for (const { name, findings } of running) {
    all.push({ check: name, findings: await findings });
    if (output.json !== true) for (const finding of await findings) print(output, name.padEnd(width), finding);
  }
  const verdicts = all.flatMap(({ findings }) => findings.map(({ verdict }) => verdict));
  const isFine = !verdicts.includes('failed');
  if (output.json === true) {
    const flat = all.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding })));
    output.line(JSON.stringify({ ok: isFine, findings: flat }, null, 2));
  } else {
    output.line('');
    output.line(summary(verdicts));
  }
  return isFine ? 0 : 1;
}

async function runOne(check: Check, clock: Clock, timeoutMs: number): Promise<readonly Finding[]> {
  try {
    return await within(clock, timeoutMs, check.run());
  } catch (error) {
    return [failed(`The check could not be made: ${reasonOf(error)}.`, TIMED_OUT_ADVICE)];
  }
}

function print(output: DoctorOutput, name: string, { verdict, found, advice }: Finding): void {
  output.line(`${verdict.padEnd('warning'.length)}  ${name}  ${found}`);
  if (advice !== undefined) output.line(`${' '.repeat('warning'.length + name.length + 4)}→ ${advice}`);
}

function summary(verdicts: readonly string[]): string {
  const count = (verdict: string): number => verdicts.filter((one) => one === verdict).length;
  const [bad, doubtful] = [count('failed'), count('warning')];
  if (bad === 0 && doubtful === 0) return 'All is well.';
  return `${bad} failed, ${doubtful} ${doubtful === 1 ? 'warning' : 'warnings'}, ${count('ok')} ok.`;
}
