import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import type { FloodResult } from './flood.ts';
import type { QueryTimes } from './latency.ts';
import { median, percentile, show, table } from './numbers.ts';
import type { ReplicasResult } from './replicas.ts';
import type { ScaleResult } from './scale.ts';
import type { SubjectKind } from './subjects.ts';

const MARKERS = ['<!-- bench:begin -->', '<!-- bench:end -->'] as const;

export interface Measured {
  readonly kind: SubjectKind;
  readonly runs: readonly FloodResult[];
}

const middle = (runs: readonly FloodResult[], of: (run: FloodResult) => number): number => median(runs.map(of));

/** One line a subject, with its ratio to the bare subscriber and to Flower. */
export function floodTable(all: readonly Measured[]): string {
  const speed = (name: string): number | undefined => {
    const runs = all.find(({ kind }) => kind.name === name)?.runs;
    return runs === undefined ? undefined : middle(runs, ({ perSecond }) => perSecond);
  };
  const ratio = (value: number, name: string): string => {
    const base = speed(name);
    return base === undefined ? '–' : `${show(value / base)} ×`;
  };
  const head = [
    '',
    'events/s',
    '÷ (a)',
    '÷ Flower',
    '÷ exporter',
    'CPU s per million',
    'peak MiB',
    'scrape p50 / max ms',
    'lost',
  ];
  const rows = all.map(({ kind, runs }) => {
    const perSecond = middle(runs, (run) => run.perSecond);
    const scrapes = runs.flatMap(({ scrapeMs }) => scrapeMs);
    const scrape = scrapes.length === 0 ? '–' : `${show(median(scrapes))} / ${show(Math.max(...scrapes))}`;
    const lost = runs.reduce((sum, run) => sum + run.published - run.counted, 0);
    return [
      kind.label,
      show(perSecond),
      ratio(perSecond, 'bare'),
      ratio(perSecond, 'flower'),
      ratio(perSecond, 'exporter'),
      show(middle(runs, (run) => run.cpuPerMillion)),
      show(Math.max(...runs.map((run) => run.peakMiB))),
      scrape,
      String(lost),
    ];
  });
  return table(head, rows);
}

export function burstTable(all: readonly Measured[]): string {
  const rows = all.flatMap(({ kind, runs }) =>
    runs.map(({ published, counted, gaps }) => [
      kind.label,
      String(published),
      String(published - counted),
      gaps === undefined ? '–' : String(gaps),
    ]),
  );
  return table(['Burst, stock Redis limits', 'published', 'lost', 'gap rows'], rows);
}

export function queryTable(times: readonly QueryTimes[], tasks: number): string {
  const rows = times.map(({ label, ms }) => [label, show(percentile(ms, 0.5)), show(percentile(ms, 0.95))]);
  return table([`API at ${tasks.toLocaleString('en-US')} tasks`, 'p50 ms', 'p95 ms'], rows);
}

export function scaleTables({ times, memory }: ScaleResult, tasks: number): string {
  const rows = times.map(({ label, ms, mostMs }) => {
    const goal = mostMs === Infinity ? '–' : String(mostMs);
    return [label, goal, show(percentile(ms, 0.5)), show(percentile(ms, 0.95))];
  });
  const title = `API at ${tasks.toLocaleString('en-US')} tasks, ${(4 * tasks).toLocaleString('en-US')} events`;
  const queries = table([title, 'goal ms', 'p50 ms', 'p95 ms'], rows);
  return `${queries}\n\n${table(
    ['The agent on that history', 'resident MiB'],
    memory.map(({ when, mib }) => [when, show(mib)]),
  )}`;
}

export function replicasTable(results: readonly ReplicasResult[]): string {
  const rows = results.map(({ agents, sliced, published, rows: stored, distinct, ...result }) => [
    `${agents}${sliced && agents > 1 ? ', in slices' : agents > 1 ? ', each hears all' : ''}`,
    show(result.perSecond),
    show(result.agentsCpu),
    show(result.postgresCpu),
    show(result.peakMiB),
    String(published - distinct),
    String(stored - distinct),
  ]);
  const head = [
    'Agents',
    'events/s',
    'CPU s per million: agents',
    'Postgres',
    'largest agent, MiB',
    'lost',
    'stored twice',
  ];
  return table(head, rows);
}

/** Which machine it was: numbers of two machines cannot be compared. */
export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? 'CPU'}, ${show(totalmem() / 2 ** 30)} GiB, Node ${process.version}, publisher and Redis on the same machine`;
}

/** Puts the text between the markers of docs/performance.md. @throws when the page has no markers */
export function writePage(text: string): void {
  const path = join(ROOT, 'docs', 'performance.md');
  const page = readFileSync(path, 'utf8');
  const [begin, end] = MARKERS.map((marker) => page.indexOf(marker));
  if (begin === undefined || end === undefined || begin < 0 || end < begin)
    throw new Error(`${path} has no ${MARKERS[0]}`);
  writeFileSync(path, `${page.slice(0, begin + MARKERS[0].length)}\n\n${text}\n\n${page.slice(end)}`);
}
