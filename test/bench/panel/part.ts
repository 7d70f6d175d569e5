import type { PluginHost } from '../../plugin-host/host.testkit.ts';
import { percentile, show, table } from '../numbers.ts';
import { firstRows } from './first-rows.ts';
import { eventToScreen } from './live.ts';
import { scrollTimes } from './scroll.ts';
import { panelStage } from './stage.ts';

const SHARES = [0.5, 0.95, 1];
const HEAD = ['p50 ms', 'p95 ms', 'max ms'];
const percentiles = (ms: readonly number[]): string[] => SHARES.map((share) => show(percentile(ms, share)));

/** The built Tasks panel in Chromium with a history of so many tasks: first rows, live changes, scrolling. */
export async function panelTables(tasks: number, samples: number, say: (text: string) => void): Promise<string> {
  const stage = await panelStage(tasks, say);
  const open: PluginHost['open'] = (user, view) => stage.host.open(user, view);
  const rows: string[][] = [];
  for (const hours of [1, 24]) {
    rows.push([
      `first rows, ${hours} h of ${tasks.toLocaleString('en-US')} tasks`,
      ...percentiles(await firstRows(open, hours, 10)),
    ]);
  }
  say('first rows are measured');
  rows.push([
    'event to screen, at 1,000 events/s',
    ...percentiles(await eventToScreen(open, stage.redis.url, samples)),
  ]);
  say('live changes are measured');
  const scrolled = await scrollTimes(open);
  await stage.stop();
  const scrollRows = scrolled.map(({ label, ms, late }) => [label, ...percentiles(ms), `${late} of ${ms.length}`]);
  return [
    table(['Tasks panel', ...HEAD], rows),
    table(['Scrolling 10,000 rows, main thread a frame', ...HEAD, 'over 16.7 ms'], scrollRows),
  ].join('\n\n');
}
