import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  /** Outer functions and blocks stand before those within them. */
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Which characters of the agent's source ran: V8's own counters. To ask takes as long as a hundred runs. */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Map<string, Uint8Array>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Whether something ran since the last question that never did before; `remember` makes it known from now on. */
  isNew({ remember }: { readonly remember: boolean }): boolean {
    let found = false;
    for (const { url, functions } of this.#take()) {
      const ran = charactersOf(functions.flatMap(({ ranges }) => ranges));
      const seen = this.#seen.get(url) ?? new Uint8Array(ran.length);
      found = ran.some((one, at) => one > (seen[at] ?? 0)) || found;
      if (remember) this.#seen.set(url, ran.length > seen.length ? union(ran, seen) : union(seen, ran));
    }
    return found;
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(): readonly ScriptCoverage[] {
    let scripts: readonly ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      scripts = (taken as { result: readonly ScriptCoverage[] }).result;
    });
    return scripts.filter(({ url }) => url.includes('/agent/src/'));
  }
}

/** 1 for each character that ran. How V8 cuts the ranges follows the counts, so that ranges themselves tell nothing. */
function charactersOf(ranges: readonly Range[]): Uint8Array {
  const ran = new Uint8Array(ranges.reduce((end, { endOffset }) => Math.max(end, endOffset), 0));
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

/** Of a longer and a shorter list of marks; changes the longer. */
function union(longer: Uint8Array, shorter: Uint8Array): Uint8Array {
  for (let at = 0; at < shorter.length; at++) if (shorter[at] === 1) longer[at] = 1;
  return longer;
}
