import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { table } from './bench/numbers.ts';
import { ROOT } from './support/paths.ts';

const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

/** The number in the row that begins so; a column counts from 0 behind the row's name. */
function cell(text: string, row: string, column = 0): number {
  const line = text.split('\n').find((one) => one.startsWith(`| ${row}`));
  const value = Number(line?.split('|')[column + 2]?.replaceAll(',', ''));
  if (!Number.isFinite(value)) throw new Error(`no row "${row}" with a number in column ${column}`);
  return value;
}

const round = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en-US');
const EVENTS_A_TASK = 3;
const DAY = 86_400;

/** What so many tasks a second need, from the page's own measured table. */
function needs(measured: string, tasks: number): string[] {
  const events = tasks * EVENTS_A_TASK;
  const [node, postgres] = [cell(measured, 'agent, CPU µs an event'), cell(measured, 'Postgres, CPU µs an event')];
  const written = events * cell(measured, 'bytes an event') + tasks * cell(measured, 'bytes a task');
  const cores = (micros: number): string => round((events * micros) / 1e6);
  return [round(events), cores(node), cores(postgres), round(written / 1e6), round((written * DAY) / 1e9)];
}

it('docs/scale.md computes what is needed from what was measured', () => {
  const scale = page('scale.md');
  const head = ['Tasks a second', 'events/s', 'agents, cores', 'Postgres, cores', 'stored, MB/s', 'stored, GB a day'];
  const rows = [100, 1000, 10_000, 100_000].map((tasks) => [tasks.toLocaleString('en-US'), ...needs(scale, tasks)]);
  const cells = (text: string): string[] => text.split('\n').map((line) => line.replaceAll(/[ -]+/g, ' '));
  expect(cells(scale).join('\n')).toContain(cells(table(head, rows)).join('\n'));
});

it('its cost of an event is that of docs/performance.md', () => {
  const scale = page('scale.md');
  const cost = cell(scale, 'agent, CPU µs an event') + cell(scale, 'Postgres, CPU µs an event');
  const measured = cell(page('performance.md'), '(c) agent with history', 4);
  expect(Math.abs(cost / measured - 1)).toBeLessThan(0.05);
});
