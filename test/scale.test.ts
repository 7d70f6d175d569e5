import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { encodedMessages } from './celery-app/publish.mjs';
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

/** Of an event in messages of so many. */
function wireBytes(batch: number): number {
  const messages = [...encodedMessages({ tasks: 2000, batch })];
  const sum = (of: (message: (typeof messages)[number]) => number): number =>
    messages.reduce((total, message) => total + of(message), 0);
  return sum(({ command }) => command.length) / sum(({ events }) => events);
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

describe('the answer for 1,000 workers at 100,000 tasks a second', () => {
  const scale = page('scale.md');
  const prose = scale.replaceAll(/\s+/g, ' ');
  const events = 100_000 * EVENTS_A_TASK;
  const said = (text: string): void => expect(prose.includes(text) ? text : 'not in docs/scale.md').toBe(text);
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  const rounded = (value: number, to: number): string => (Math.round(value / to) * to).toLocaleString('en-US');
  /** CPU µs an event of all agents that share a stream. */
  const curve = (agents: number): number => cell(scale, agents === 1 ? '1 ' : `${agents}, in slices`, 1);
  const micros = cell(scale, 'agent, CPU µs an event');
  const postgres = cell(scale, 'Postgres, CPU µs an event');

  it('parts the stream by what one agent and one history can take', () => {
    const one = 58_000;
    said(`one agent stores ${whole(one)} events/s`);
    const streams = Math.ceil(events / one);
    const each = events / streams;
    said(`| Streams | ${streams}, of ${whole(each)} events/s each |`);
    said(`| Agents | ${streams}, and ${streams} more`);
    said(`${micros} µs an event: ${((each * micros) / 1e6).toFixed(2)} of a core each`);
    said(
      `| Histories | ${streams}, one for each stream | ${postgres} µs an event: ${((each * postgres) / 1e6).toFixed(2)} of a core each`,
    );
  });

  it('takes what slices cost, and where a stream ends, from the curve', () => {
    const hearing = (curve(8) - curve(1)) / 7;
    expect(hearing).toBeCloseTo(7.8, 1);
    said(`${hearing.toFixed(1)} µs an event by the curve below`);
    said(`ends at some ${rounded(1e6 / Number(hearing.toFixed(1)), 1000)} events a second heard`);
    said(`never passes ${rounded(1e6 / Number(hearing.toFixed(1)), 1000)},`);
    said(`4 take ${curve(4)} µs an event, at ${whole(events)} events/s ${Math.round((curve(4) * events) / 1e6)} cores`);
    said(`8 take ${curve(8)} µs, ${Math.round((curve(8) * events) / 1e6)} cores`);
    const ends = [1, 2, 4].map((agents) => rounded((agents * 1e6) / curve(agents), 100));
    said(
      `ends at ${ends[0]} events/s with one agent (${curve(1)} µs), ${ends[1]} with 2 slices, ${ends[2]} with 4, ${rounded(8e6 / curve(8), 1000)} with 8`,
    );
    const quarter = events / 4;
    said(
      `${curve(2)} µs an event for both: ${((quarter * curve(2)) / 2e6).toFixed(2)} of a core each at ${whole(quarter)} events/s`,
    );
    const operations = page('operations.md').replaceAll(/\s+/g, ' ');
    expect(operations).toContain(
      `costs it ${hearing.toFixed(1)} µs of CPU time where one of its own costs ${curve(1)}`,
    );
  });

  it('counts disk, network and series', () => {
    const wire = cell(scale, 'wire bytes an event');
    const single = cell(scale, '… in single messages');
    expect(Math.abs(wireBytes(20) / wire - 1)).toBeLessThan(0.02);
    expect(Math.abs(wireBytes(1) / single - 1)).toBeLessThan(0.02);
    said(
      `| ${whole((events * wire) / 1e6)} MB/s for 6 agents; ${whole((2 * events * wire) / 1e6)} MB/s with 6 more | ${wire} bytes an event`,
    );
    said(`single messages of ${single} bytes: ${whole((events * single) / 1e6)} MB/s`);
    const kept = {
      events: (events * cell(scale, 'bytes an event') * DAY) / 1e12,
      tasks: (300_000 * cell(scale, 'bytes a task') * DAY) / 1e12,
    };
    said(
      `${whole(kept.events)} TB of events and ${whole(kept.tasks)} TB of tasks, ${whole(kept.events + kept.tasks)} TB in all`,
    );
    said(
      `${whole(kept.events + kept.tasks)} TB at the retention below are ${((kept.events + kept.tasks) / 6).toFixed(1)} TB a history`,
    );
    const series = (workers: number, names: number): number =>
      cell(scale, 'Prometheus series') +
      workers * cell(scale, '… for each worker') +
      names * cell(scale, '… for each name ') +
      workers * names * cell(scale, '… for each name on each worker');
    said(
      `| Prometheus series | ${rounded(series(1000, 20), 10_000)} in all, ${rounded(series(1000 / 6, 20), 1000)} an agent |`,
    );
    said(`20,000 label sets a family) bounds an agent at 880,000 series`);
    said(`set it to 2,000 or so at this size (${whole((880_000 / 20_000) * 2000)} series an agent)`);
    const rows = 200 * 1000;
    said(
      `make ${whole(rows)} rows a minute (${whole((rows * 1440 * cell(scale, 'bytes a roll-up by the minute')) / 1e9)} GB a day) and 200 an hour (${whole((200 * 24 * cell(scale, 'bytes a roll-up by the hour')) / 1e6)} MB a day)`,
    );
  });
});
