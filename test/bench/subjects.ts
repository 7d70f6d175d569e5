import { join } from 'node:path';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { startFlower } from '../support/flower.ts';
import { freePort } from '../support/ports.ts';
import { startProcess } from '../support/processes.ts';
import type { Scrape } from '../support/prometheus-text.ts';
import { scrape } from '../support/prometheus-text.ts';
import { ROOT } from '../support/paths.ts';
import { waitFor } from '../support/wait.ts';
import { postmasterUnder } from './usage.ts';

/** Something that listens to the event stream and can tell how much it has counted. */
export interface Subject {
  readonly label: string;
  /** Its own process: memory is this one's. */
  readonly pid: number;
  /** CPU is the sum of these and all below them. */
  readonly cpuPids: readonly number[];
  /** Base URL, where it has one. */
  readonly url?: string;
  /** Task events counted, and with a history also stored durably, whichever is less. */
  done(): Promise<number>;
  /** A scrape, where it has one. */
  readonly metrics?: () => Promise<Scrape>;
  stop(): Promise<void>;
}

export interface SubjectKind {
  readonly name: string;
  readonly label: string;
  /** Relative size of its run: slow subjects get a part of the stream. */
  readonly share: number;
  /** Pause between two looks at its counters; a look costs the slow ones much. */
  readonly lookEveryMs: number;
  start(redisUrl: string): Promise<Subject>;
}

const bare: SubjectKind = {
  name: 'bare',
  label: '(a) bare ioredis subscriber, decodes and counts',
  share: 1,
  lookEveryMs: 100,
  start: async (redisUrl) => {
    const child = startProcess({
      name: 'bare subscriber',
      command: process.execPath,
      args: [join(ROOT, 'test/bench/bare-subscriber.mjs'), redisUrl],
      keepInput: true,
    });
    await child.printed(/listening/, 10_000);
    return {
      label: bare.label,
      pid: child.pid,
      cpuPids: [child.pid],
      done: async () => {
        const lines = child.stdout().split('\n').length;
        child.write('?\n');
        const all = await waitFor(() => {
          const printed = child.stdout().split('\n');
          return printed.length > lines && printed;
        }, 60_000);
        return Number(all.at(-2));
      },
      stop: async () => {
        await child.stop();
      },
    };
  },
};

async function startAgentSubject(redisUrl: string, history: boolean): Promise<Subject> {
  const dataDir = await temporaryDirectory('bench');
  const agent = await startAgent({
    brokerUrl: `${redisUrl}/0`,
    databaseUrl: 'embedded',
    dataDir,
    args: history ? [] : ['--no-history'],
  });
  const postmaster = history ? postmasterUnder(dataDir) : undefined;
  const pid = agent.process().pid;
  const done = async (): Promise<number> => {
    const metrics = await agent.metrics();
    const counted = metrics.sum('umbel_events_received_total') - workerEvents(metrics);
    return history ? Math.min(counted, metrics.sum('umbel_history_rows_total', { kind: 'events' })) : counted;
  };
  return {
    label: history ? agentWithHistory.label : agentAlone.label,
    pid,
    cpuPids: postmaster === undefined ? [pid] : [pid, postmaster],
    url: agent.url,
    done,
    metrics: () => agent.metrics(),
    stop: async () => {
      await agent.kill('SIGTERM');
    },
  };
}

function workerEvents(metrics: Scrape): number {
  const types = ['worker-heartbeat', 'worker-online', 'worker-offline'];
  return types.reduce((sum, type) => sum + metrics.sum('umbel_events_received_total', { type }), 0);
}

const agentAlone: SubjectKind = {
  name: 'agent',
  label: '(b) agent without history',
  share: 1,
  lookEveryMs: 250,
  start: (redisUrl) => startAgentSubject(redisUrl, false),
};

const agentWithHistory: SubjectKind = {
  name: 'history',
  label: '(c) agent with history (Postgres’ CPU included)',
  share: 1,
  lookEveryMs: 250,
  start: (redisUrl) => startAgentSubject(redisUrl, true),
};

const flower: SubjectKind = {
  name: 'flower',
  label: '(d) Flower 2.2',
  share: 0.1,
  lookEveryMs: 1000,
  start: async (redisUrl) => {
    const server = await startFlower({ brokerUrl: `${redisUrl}/0` });
    const metrics = (): Promise<Scrape> => scrape(`${server.url}/metrics`);
    return {
      label: flower.label,
      pid: server.pid,
      cpuPids: [server.pid],
      url: server.url,
      metrics,
      done: async () => (await metrics()).sum('flower_events_total'),
      stop: async () => {
        await server.stop();
      },
    };
  },
};

/** `CELERY_EXPORTER_CMD`, e.g. `/path/venv/bin/python /path/celery-exporter/cli.py`. */
const exporter: SubjectKind = {
  name: 'exporter',
  label: '(e) celery-exporter',
  share: 0.1,
  lookEveryMs: 3000,
  start: async (redisUrl) => {
    const [command = '', ...args] = (process.env['CELERY_EXPORTER_CMD'] ?? '').split(' ');
    const port = await freePort();
    const child = startProcess({
      name: 'celery-exporter',
      command,
      args: [...args, `--broker-url=${redisUrl}/0`, `--port=${port}`, '--host=127.0.0.1'],
    });
    const metrics = (): Promise<Scrape> => scrape(`http://127.0.0.1:${port}/metrics`);
    await waitFor(metrics, 60_000, 'celery-exporter listening');
    const families = ['sent', 'received', 'started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected'];
    return {
      label: exporter.label,
      pid: child.pid,
      cpuPids: [child.pid],
      metrics,
      done: async () => {
        const read = await metrics();
        return families.reduce((sum, family) => sum + read.sum(`celery_task_${family}_total`), 0);
      },
      stop: async () => {
        await child.stop();
      },
    };
  },
};

/** All that can run here, in the order of the table. */
export function subjectKinds(): SubjectKind[] {
  const all = [bare, agentAlone, agentWithHistory, flower];
  return process.env['CELERY_EXPORTER_CMD'] === undefined ? all : [...all, exporter];
}
