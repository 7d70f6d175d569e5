import { firstValueFrom, type Observable } from 'rxjs';
import type { AgentClient } from '../shared/client';

/** What a filter may be set to; also the variables that the data source offers. */
export type ChoiceKind = 'names' | 'queues' | 'workers' | 'states' | 'exceptionTypes';

/** Long enough for an editor to open its lists, short enough for what comes up. */
const KEEP_MS = 30_000;
const MOST_GROUPS = 1000;

/** Lists to choose from, as the agent knows them; asked once in a while. */
export class Choices {
  private readonly kept = new Map<ChoiceKind, { readonly untilMs: number; readonly values: Promise<string[]> }>();

  constructor(
    private readonly client: AgentClient,
    private readonly now: () => number = Date.now,
  ) {}

  /** Sorted; states in the order of a task's life. Rejects where the agent cannot be asked. */
  of(kind: ChoiceKind): Promise<string[]> {
    const known = this.kept.get(kind);
    if (known !== undefined && known.untilMs > this.now()) {
      return known.values;
    }
    const values = this.ask(kind);
    this.kept.set(kind, { values, untilMs: this.now() + KEEP_MS });
    values.catch(() => this.kept.delete(kind));
    return values;
  }

  private ask(kind: ChoiceKind): Promise<string[]> {
    const { client } = this;
    switch (kind) {
      case 'names':
        return listOf(client.names(), ({ names }) => names);
      case 'queues':
        return listOf(client.queues(), ({ queues }) => queues.map(({ name }) => name));
      case 'workers':
        return listOf(client.workers(), ({ workers }) => workers.map(({ hostname }) => hostname));
      case 'states':
        return listOf(client.states(), ({ states }) => states.map(({ name }) => name));
      case 'exceptionTypes':
        return listOf(client.failures({ from: 'now-7d', limit: MOST_GROUPS }), ({ groups }) =>
          groups.map(({ exceptionType }) => exceptionType).sort(),
        );
    }
  }
}

async function listOf<T>(answer: Observable<T>, pick: (answer: T) => string[]): Promise<string[]> {
  return [...new Set(pick(await firstValueFrom(answer)))];
}
