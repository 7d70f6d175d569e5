import { Session } from 'node:inspector';

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
  }[];
}

/** Which blocks of the agent's source ran: V8's own counters. To ask takes as long as a hundred runs. */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Whether a block ran since the last question that never did before; `remember` makes it known from now on. */
  isNew({ remember }: { readonly remember: boolean }): boolean {
    const fresh = this.#blocks().filter((block) => !this.#seen.has(block));
    if (remember) for (const block of fresh) this.#seen.add(block);
    return fresh.length > 0;
  }

  close(): void {
    this.#session.disconnect();
  }

  #blocks(): string[] {
    let scripts: readonly ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      scripts = (taken as { result: readonly ScriptCoverage[] }).result;
    });
    return scripts
      .filter(({ url }) => url.includes('/agent/src/'))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges.filter(({ count }) => count > 0).map(({ startOffset }) => `${url}:${startOffset}`),
        ),
      );
  }
}
