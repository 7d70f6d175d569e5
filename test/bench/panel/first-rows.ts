import type { PluginHost } from '../../plugin-host/host.testkit.ts';
import { ROWS, tasksView } from './stage.ts';

/** Ms from the panel being in the page to its first rows being there, so many times each over the hours given. */
export async function firstRows(open: PluginHost['open'], hours: number, rounds: number): Promise<number[]> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { page } = await open('vera', tasksView({ live: true }, hours));
    await page.locator(ROWS).first().waitFor({ timeout: 60_000 });
    taken.push(await page.evaluate<number>('measure.firstRowsMs()'));
    await page.context().close();
  }
  return taken;
}
