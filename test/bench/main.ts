import { parseArgs } from 'node:util';
import { closeEverything } from '../support/cleanup.ts';
import type { Measured } from './report.ts';
import { burstTable, floodTable, machine, queryTable, replicasTable, scaleTables, writePage } from './report.ts';
import { flood } from './flood.ts';
import { apiTimes, eventToApi, memoryByTasks } from './latency.ts';
import { median, percentile, show, table } from './numbers.ts';
import { type ReplicasResult, replicas } from './replicas.ts';
import { scale } from './scale.ts';
import { rawCopy, type RawCopy } from './raw-copy.ts';
import { panelTables } from './panel/part.ts';
import { subjectKinds } from './subjects.ts';

const HELP = `npm run bench -- [options]
  --quick            a tenth of everything, once: shows that it works
  --only a,b         of: flood, copy, burst, latency, memory, api, panel, replicas, scale; the last two (minutes, an hour)
                     only where named;
                     panel needs Chromium and npm run build -w plugin
  --subjects a,b     of: bare, agent, history, flower, exporter (exporter: set CELERY_EXPORTER_CMD)
  --events N         of a flood, default 800000; the slow subjects get a tenth
  --runs N           floods of each, default 3; the median counts
  --batch N,N        events in a message, default 20,1: as prefork workers under load send them, and single messages
  --database URL     of scale: a history filled before; default a Postgres of its own, filled first
  --rate N           events per second, default as fast as Redis takes them
  --write            into docs/performance.md`;

const started = performance.now();
const say = (text: string): void =>
  console.log(`[${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}`);

function options() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      only: { type: 'string', default: 'flood,copy,burst,latency,memory,api,panel' },
      subjects: { type: 'string', default: 'bare,agent,history,flower,exporter' },
      events: { type: 'string' },
      runs: { type: 'string' },
      batch: { type: 'string', default: '20,1' },
      rate: { type: 'string' },
      database: { type: 'string' },
    },
  });
  const scale = values.quick ? 0.1 : 1;
  return {
    help: values.help,
    write: values.write,
    scale,
    only: values.only.split(','),
    kinds: subjectKinds().filter(({ name }) => values.subjects.split(',').includes(name)),
    events: Number(values.events ?? 800_000 * scale),
    runs: Number(values.runs ?? (values.quick ? 1 : 3)),
    batches: values.batch.split(',').map(Number),
    ...(values.database === undefined ? {} : { database: values.database }),
    ...(values.rate === undefined ? {} : { rate: Number(values.rate) }),
  };
}

type Options = ReturnType<typeof options>;

async function floods(given: Options): Promise<string> {
  const texts: string[] = [];
  for (const batch of given.batches) texts.push(await floodsOf(given, batch));
  return texts.join('\n\n');
}

async function floodsOf(given: Options, batch: number): Promise<string> {
  const all: Measured[] = [];
  for (const kind of given.kinds) {
    const runs: Measured['runs'][number][] = [];
    for (let run = 0; run < given.runs; run++) {
      const result = await flood(kind, { ...given, batch, events: Math.round(given.events * kind.share) });
      runs.push(result);
      say(`${kind.label}: ${show(result.perSecond)} events/s, ${show(result.cpuPerMillion)} CPU s per million`);
    }
    all.push({ kind, runs });
  }
  const what = batch === 1 ? 'single messages' : `messages of ${batch} events`;
  return `${what}, median of ${given.runs}:\n\n${floodTable(all)}`;
}

/** The agent with its history, then raw COPY of the same rows: a share of what Postgres can take at all. */
async function copies(given: Options): Promise<string> {
  const agent: number[] = [];
  const copied = new Map<number, RawCopy[]>();
  for (let run = 0; run < given.runs; run++) {
    const { perSecond, raw } = await rawCopy(given.events, [1, 2]);
    agent.push(perSecond);
    for (const one of raw) copied.set(one.connections, [...(copied.get(one.connections) ?? []), one]);
  }
  const ours = median(agent);
  const rows = [...copied].map(([connections, runs]) => {
    const perSecond = median(runs.map((one) => one.perSecond));
    const cpu = median(runs.map((one) => one.cpuPerMillion));
    say(`raw COPY over ${connections} connections: ${show(perSecond)} events/s, the agent ${show(ours)}`);
    return [`${connections}`, show(perSecond), show(cpu), show(ours), `${show(ours / perSecond)} ×`];
  });
  const head = ['Connections of raw COPY', 'events/s', 'CPU s per million', 'agent with history', 'agent ÷ raw COPY'];
  return table(head, rows);
}

async function bursts(given: Options): Promise<string> {
  const all: Measured[] = [];
  for (const kind of given.kinds.filter(({ name }) => name !== 'bare')) {
    const run = await flood(kind, { events: 200_000, warmUp: 6000, batch: given.batches[0] ?? 20, redisArgs: [] });
    say(`${kind.label}: ${run.published - run.counted} of ${run.published} lost in the burst`);
    all.push({ kind, runs: [run] });
  }
  return burstTable(all);
}

async function latency(given: Options): Promise<string> {
  const ms = await eventToApi(Math.round(200 * Math.max(given.scale, 0.2)));
  say(`event to API: p95 ${show(percentile(ms, 0.95))} ms`);
  const row = ['at 1,000 events/s', ...[0.5, 0.95, 1].map((p) => show(percentile(ms, p)))];
  return table(['Event to visible in the API', 'p50 ms', 'p95 ms', 'max ms'], [row]);
}

async function memory(given: Options): Promise<string> {
  const readings = await memoryByTasks(1_000_000 * given.scale, 20_000);
  say(`memory: ${readings.map(({ mib }) => show(mib)).join(', ')} MiB`);
  const rows = readings.map(({ tasks, mib }) => [tasks.toLocaleString('en-US'), show(mib)]);
  return table(['Tasks seen', 'agent, resident MiB'], rows);
}

async function api(given: Options): Promise<string> {
  const tasks = 1_000_000 * given.scale;
  return queryTable(await apiTimes(tasks, 20, say), tasks);
}

/** Agents beside each other: the last two without slices, so that each hears all. */
async function curve(given: Options): Promise<string> {
  const results: ReplicasResult[] = [];
  for (const [agents, sliced] of [
    [1, true],
    [2, true],
    [4, true],
    [8, true],
    [2, false],
  ] as const) {
    const result = await replicas(agents, sliced, given.events / 2);
    const cpu = `${show(result.agentsCpu)} + ${show(result.postgresCpu)} CPU s per million`;
    say(`${agents} agents${sliced ? '' : ' without slices'}: ${show(result.perSecond)} events/s, ${cpu}`);
    results.push(result);
  }
  return replicasTable(results);
}

/** Ten million events. */
async function tenMillion(given: Options): Promise<string> {
  const tasks = 2_500_000 * given.scale;
  const databaseUrl = given.database === undefined ? {} : { databaseUrl: given.database };
  return scaleTables(await scale({ tasks, days: 30, rounds: 60, ...databaseUrl }, say), tasks);
}

function panel(given: Options): Promise<string> {
  return panelTables(1_000_000 * given.scale, Math.round(300 * Math.max(given.scale, 0.2)), say);
}

const PARTS = {
  flood: floods,
  copy: copies,
  burst: bursts,
  latency,
  memory,
  api,
  panel,
  replicas: curve,
  scale: tenMillion,
} as const;

async function main(): Promise<void> {
  const given = options();
  if (given.help) {
    console.log(HELP);
    return;
  }
  const texts = [`${machine()}.`];
  for (const [name, part] of Object.entries(PARTS)) {
    if (!given.only.includes(name)) continue;
    say(name);
    texts.push(await part(given));
  }
  const text = texts.join('\n\n');
  console.log(`\n${text}\n`);
  if (given.write) writePage(text);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeEverything().finally(() => process.exit(130)));
}
try {
  await main();
} finally {
  await closeEverything();
}
