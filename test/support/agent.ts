import { readFile } from 'node:fs/promises';
import { builtAgent } from './agent-build.ts';
import { temporaryDirectory } from './cleanup.ts';
import { freshDatabase } from './database.ts';
import { getText } from './http.ts';
import { freePort } from './ports.ts';
import type { ExitStatus, ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import type { Scrape } from './prometheus-text.ts';
import { scrape } from './prometheus-text.ts';
import { waitFor } from './wait.ts';

export interface AgentOptions {
  /** Absent: the demo cluster. */
  readonly brokerUrl?: string;
  /** Absent: a fresh database on the test's Postgres. `embedded`: the agent starts its own in its data directory. */
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  /** Further flags, e.g. `--no-history`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60 s. */
  readonly readyTimeoutMs?: number;
}

export interface RunningAgent {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  process(): ManagedProcess;
  metrics(): Promise<Scrape>;
  /** Sends the signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<ExitStatus>;
  /** Starts it again with the same flags, database and data directory, and waits until it is ready. */
  restart(): Promise<void>;
  /** Starts it again and does not wait. */
  launch(): void;
  /** Resolves when /health/ready answers 200. */
  ready(): Promise<void>;
}

/** The real agent as a process of its own on a free port, ready. Its environment holds no setting but those given. */
export async function startAgent(options: AgentOptions = {}): Promise<RunningAgent> {
  const main = await builtAgent();
  const port = await freePort();
  const dataDir = options.dataDir ?? (await temporaryDirectory('agent'));
  const databaseUrl = options.databaseUrl ?? (await freshDatabase()).url;
  const url = `http://127.0.0.1:${port}`;
  // What main.js asks of Node in its first line, which a shell would follow.
  const [, nodeOptions = ''] = /^#!.* node (.*)$/m.exec(await readFile(main, 'utf8')) ?? [];
  const args = [
    ...nodeOptions.split(' '),
    main,
    '--port',
    String(port),
    '--address',
    '127.0.0.1',
    '--data-dir',
    dataDir,
  ];
  if (options.brokerUrl !== undefined) args.push('--broker', options.brokerUrl);
  if (databaseUrl !== 'embedded') args.push('--database-url', databaseUrl);
  args.push(...(options.args ?? []));
  const prefix = args.includes('--url-prefix') ? (args[args.indexOf('--url-prefix') + 1] ?? '') : '';
  const launch = (): ManagedProcess =>
    startProcess({ name: 'agent', command: process.execPath, args, env: cleanEnvironment(options.env) });
  let current = launch();
  const agent: RunningAgent = {
    url,
    dataDir,
    databaseUrl,
    process: () => current,
    metrics: () => scrape(`${url}/metrics`),
    kill: (signal) => current.kill(signal),
    launch: () => {
      current = launch();
    },
    restart: async () => {
      await current.stop();
      current = launch();
      await agent.ready();
    },
    ready: () => waitUntilReady(`${url}${prefix}`, current, options.readyTimeoutMs ?? 60_000),
  };
  await agent.ready();
  return agent;
}

/** Without what the developer's shell may hold for the agent, Celery or Flower. */
function cleanEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const foreign = Object.keys(process.env).filter((name) =>
    /^(UMBEL|CELERY|FLOWER|CE|PG|OTEL)_|^DATABASE_URL$/.test(name),
  );
  return { ...Object.fromEntries(foreign.map((name) => [name, undefined])), ...more };
}

async function waitUntilReady(url: string, agent: ManagedProcess, timeoutMs: number): Promise<void> {
  const state = await waitFor(
    async () => (agent.running() ? (await getText(`${url}/health/ready`)).status === 200 : 'ended'),
    timeoutMs,
    'the agent being ready',
  ).catch((error: unknown) => {
    throw new Error(`the agent did not get ready; its output:\n${agent.output()}`, { cause: error });
  });
  if (state === 'ended') throw new Error(`the agent ended early; its output:\n${agent.output()}`);
}
