import type { CDPSession } from 'playwright-core';
import type { PluginHost } from '../../plugin-host/host.testkit.ts';
import { tasksView } from './stage.ts';

/** Pixels that the table moves by in each frame. */
const WAYS = [
  ['wheel, 100 px a frame', 100],
  ['fast wheel, 1,000 px a frame', 1000],
  ['thumb drag, 5,000 px a frame', 5000],
] as const;
const FRAMES = 150;
const FRAME_MS = 1000 / 60;

export interface ScrollTimes {
  readonly label: string;
  /** Processor time of the page's main thread, by frame */
  readonly ms: readonly number[];
  /** Frames whose main thread work took longer than a frame lasts */
  readonly late: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What scrolling 10,000 rows costs the main thread, frame by frame, as Chromium's own trace tells. */
export async function scrollTimes(open: PluginHost['open']): Promise<ScrollTimes[]> {
  const { page } = await open('vera', tasksView({ limit: 10_000 }));
  await page.getByText(/^10,000 of/).waitFor({ timeout: 60_000 });
  const session = await page.context().newCDPSession(page);
  const all: ScrollTimes[] = [];
  for (const [label, pixels] of WAYS) {
    await page.evaluate(`measure.scroll(${pixels}, 60)`); // code that is compiled already
    const ms = frameTimes(await traced(session, () => page.evaluate(`measure.scroll(${pixels}, ${FRAMES})`)));
    all.push({ label, ms, late: ms.filter((one) => one > FRAME_MS).length });
  }
  await page.context().close();
  return all;
}

async function traced(session: CDPSession, act: () => Promise<unknown>): Promise<readonly TraceEvent[]> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: unknown[] }) => events.push(...(value as TraceEvent[]));
  session.on('Tracing.dataCollected', collect);
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] },
  });
  await act();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', collect);
  return events;
}

/** Processor time of the main thread between one animation frame and the next, ms. */
export function frameTimes(events: readonly TraceEvent[]): number[] {
  const frames = events.filter(({ name }) => name === 'FireAnimationFrame');
  const [{ pid, tid } = { pid: 0, tid: 0 }] = frames;
  const tasks = events
    .filter((event) => event.pid === pid && event.tid === tid && /RunTask$/.test(event.name) && event.ph === 'X')
    .toSorted((a, b) => a.ts - b.ts);
  const starts = frames.map(({ ts }) => ts).toSorted((a, b) => a - b);
  const times: number[] = [];
  let frame = -1;
  let until = -1;
  for (const { ts, dur = 0, tdur } of tasks) {
    if (ts < until) continue; // a task within a task
    until = ts + dur;
    while (frame + 1 < starts.length && (starts[frame + 1] ?? 0) < until) frame += 1;
    if (frame >= 0) times[frame] = (times[frame] ?? 0) + (tdur ?? dur) / 1000;
  }
  return times.slice(1, -1);
}
