import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { pause } from '../../support/wait.ts';
import { startPublisher } from '../../support/publisher.ts';
import type { PluginHost } from '../../plugin-host/host.testkit.ts';
import { publishProbe } from '../probe.ts';
import { ROWS, tasksView } from './stage.ts';

const PER_SECOND = 1000;
/** Ahead of the stream, so that newer tasks do not push it out of sight before it is drawn. */
const AHEAD_S = 2;
/** Out of step with the panel's rhythm. */
const BETWEEN_MS = 137;

/** Ms from PUBLISH of a task's event to its row being in the page, beside a stream of 1,000 events/s. */
export async function eventToScreen(open: PluginHost['open'], redisUrl: string, samples: number): Promise<number[]> {
  const { page } = await open('vera', tasksView({ live: true }, 1));
  await page.locator(ROWS).first().waitFor({ timeout: 60_000 });
  await page.getByText('Live', { exact: true }).first().waitFor({ timeout: 60_000 });
  await page.evaluate('measure.watchProbes()');
  const client = new Redis(redisUrl);
  const seconds = (samples * BETWEEN_MS) / 1000 + 10;
  const background = startPublisher({
    redisUrl,
    tasks: Math.ceil((seconds * PER_SECOND) / 3),
    batch: 3,
    rate: PER_SECOND,
  });
  await pause(5000);
  const published = new Map<string, number>();
  for (let sample = 0; sample < samples; sample++) {
    const id = `probe-${randomUUID().replaceAll('-', '')}`;
    published.set(id, Date.now());
    await publishProbe(client, id, sample + 1, Date.now() / 1000 + AHEAD_S);
    await pause(BETWEEN_MS);
  }
  await pause(3000);
  const seen = new Map(await page.evaluate<[string, number][]>('measure.probes()'));
  await background.process.stop();
  client.disconnect();
  await page.context().close();
  return [...published].map(([id, at]) => (seen.get(id) ?? Number.POSITIVE_INFINITY) - at);
}
