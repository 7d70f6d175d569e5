import type { AppPlace, CeleryWorker } from '../support/celery.ts';
import { startCelery } from '../support/celery.ts';
import type { RunningAgent } from '../support/agent.ts';
import { getObject } from '../support/http.ts';
import type { Scrape } from '../support/prometheus-text.ts';
import { scrape } from '../support/prometheus-text.ts';
import { pause, waitFor } from '../support/wait.ts';

/** Two workers as different as a small site has them. */
export async function startTwoWorkers(place: AppPlace): Promise<CeleryWorker[]> {
  return Promise.all([
    startCelery({ ...place, name: 'w1', queues: ['celery', 'emails'], pool: 'prefork', concurrency: 2 }),
    startCelery({ ...place, name: 'w2', queues: ['celery', 'reports'], pool: 'threads', concurrency: 3 }),
  ]);
}

/** Task events that a scrape has counted. */
export const countedEvents = (metrics: Scrape): number => metrics.sum('flower_events_total');

/**
 * Waits until Flower has counted nothing new for a second, and the agent as much as Flower (`before`: what an earlier
 * life of the agent had counted). Resolves to both scrapes.
 */
export async function untilBothQuiet(
  flowerUrl: string,
  agent: RunningAgent,
  before = 0,
): Promise<{ flower: Scrape; agent: Scrape }> {
  let last = -1;
  return waitFor(
    async () => {
      const flower = await scrape(`${flowerUrl}/metrics`);
      const counted = countedEvents(flower);
      const quiet = counted === last;
      last = counted;
      if (!quiet) {
        await pause(1000);
        return undefined;
      }
      const mine = await agent.metrics();
      return countedEvents(mine) + before >= counted ? { flower, agent: mine } : undefined;
    },
    60_000,
    'Flower and the agent having counted the same',
  );
}

/**
 * Waits until Flower has each task in the state its load expects: a worker stores a state at once, and keeps its events
 * back for a second or more. Resolves after 20 s in any case.
 */
export async function untilHeard(flowerUrl: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const isHeard = async (): Promise<boolean> => {
    const tasks = (await getObject(`${flowerUrl}/api/tasks`)) as Record<string, { readonly state?: string }>;
    return Object.entries(expected).every(([id, state]) => tasks[id]?.state === state);
  };
  await waitFor(isHeard, 20_000, 'every end being heard').catch(() => undefined);
}

/** Waits until the agent's listing holds as many tasks as Flower's: its answers come from the history, written in batches. */
export async function untilStored(flowerUrl: string, agentUrl: string): Promise<number> {
  const wanted = Object.keys(await getObject(`${flowerUrl}/api/tasks`)).length;
  await waitFor(
    async () => Object.keys(await getObject(`${agentUrl}/api/tasks`)).length >= wanted,
    30_000,
    `${wanted} tasks in the history`,
  );
  return wanted;
}
