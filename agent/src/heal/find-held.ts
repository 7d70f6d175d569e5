import type { Finding, Healed } from '../core/heal/finding.ts';
import type { HealStore } from '../core/heal/store.ts';
import { fillIn, HOLDING, sightOfMessage, sightsOfReply, together, type Sight } from '../core/heal/unheard.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { Clock } from '../lib/clock.ts';
import type { EvidenceDeps } from './evidence.ts';
import { present } from './results.ts';

/** Tasks that the history is asked for at once. */
const PAGE = 500;

export type HeldDeps = Pick<EvidenceDeps, 'control' | 'tasks' | 'masker' | 'logger'> & {
  readonly store: Pick<HealStore, 'unknownAmong' | 'unnamedAmong'>;
  /** Whether an event was heard that tells the task's name, be it stored or not. */
  readonly isNamed: (taskId: string) => boolean;
  readonly clock: Clock;
};

/**
 * Tasks that workers have, or that lie in queues, and of which nothing was heard: they were sent while nobody listened. Two
 * steps, some time apart: when the first one asks, events of what was sent just now are still on their way.
 */
export class HeldSearch {
  readonly #found: ReadonlyMap<string, Healed>;
  readonly #foundAt: number;
  readonly #deps: HeldDeps;

  private constructor(found: ReadonlyMap<string, Healed>, foundAt: number, deps: HeldDeps) {
    this.#found = found;
    this.#foundAt = foundAt;
    this.#deps = deps;
  }

  /** Asks workers and broker; keeps `limit` tasks at most. @throws BrokerUnavailable */
  static async begin(limit: number, deps: HeldDeps): Promise<HeldSearch> {
    const { control, tasks, clock, logger, masker, isNamed } = deps;
    const foundAt = clock.now() / 1000;
    const queues = new Set((await control.queues()).map(({ name }) => name));
    const found = new Map<string, Healed>();
    let passedOver = 0;
    const note = ({ taskId, state, routingKey }: Sight): boolean => {
      if (isNamed(taskId)) return true;
      const known = found.get(taskId);
      if (known === undefined && found.size >= limit) {
        passedOver += 1;
        return false;
      }
      const seen = masked(queues.has(routingKey) ? { ...state, queue: routingKey } : state, masker);
      found.set(taskId, known === undefined ? seen : together(known, seen));
      return true;
    };
    // Workers first: what one of them takes meanwhile is still among the messages, or an event tells of it.
    for (const sight of await askWorkers(deps)) note(sight);
    await tasks.eachMessage([...queues], (raw) => {
      const sight = sightOfMessage(raw);
      return sight === undefined || note(sight);
    });
    if (passedOver > 0) logger.warn({ limit }, 'more tasks may have been sent unheard than are looked at after a gap');
    return new HeldSearch(found, foundAt, deps);
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** Those of which nothing is known by now either, and what events did not tell of the others. */
  async *findings(): AsyncGenerator<readonly Finding[]> {
    const ids = [...this.#found.keys()];
    for (let at = 0; at < ids.length; at += PAGE) yield await this.#lookAt(ids.slice(at, at + PAGE));
  }

  async #lookAt(ids: readonly string[]): Promise<readonly Finding[]> {
    const { store, isNamed } = this.#deps;
    const foundAt = this.#foundAt;
    const unknown = await store.unknownAmong(ids.filter((id) => !isNamed(id)));
    const unnamed = await store.unnamedAmong(ids);
    const unheard = unknown.flatMap((taskId): Finding[] => {
      const verdict = this.#found.get(taskId);
      return verdict === undefined ? [] : [{ taskId, basis: undefined, verdict, foundAt }];
    });
    const halfHeard = unnamed.flatMap(({ taskId, ...basis }): Finding[] => {
      const seen = this.#found.get(taskId);
      const verdict = seen && fillIn(basis, seen);
      return verdict === undefined ? [] : [{ taskId, basis, verdict, foundAt }];
    });
    return [...unheard, ...halfHeard];
  }
}

async function askWorkers({ control }: HeldDeps): Promise<readonly Sight[]> {
  const sights = HOLDING.map(async (method): Promise<readonly Sight[]> => {
    // `safe`: the texts of the arguments, as events have them, instead of values of any size.
    const args = method === 'active' ? { safe: true } : {};
    const { answers } = await control.call({ method, arguments: args, target: { kind: 'all' } });
    return answers.flatMap((answer) => (answer.ok ? sightsOfReply(method, answer.worker, answer.reply) : []));
  });
  return (await Promise.all(sights)).flat();
}

function masked(state: Healed, masker: Masker): Healed {
  const { args, kwargs } = state;
  return { ...state, ...present({ args, kwargs }, (text) => masker.text(text)) };
}
