import { access, constants, mkdtemp, readdir, readFile, realpath, rmdir, statfs } from 'node:fs/promises';
import { dirname, join, parse, resolve } from 'node:path';
import pg from 'pg';
import type { Config } from '../config/config.ts';
import { redactUrls } from '../config/redact.ts';
import type { DatabaseContext, SqlSession } from '../doctor/database-check.ts';
import { doctorChecks, type DoctorPorts } from '../doctor/doctor.ts';
import { runDoctor } from '../doctor/run.ts';
import type { Clock } from '../lib/clock.ts';
import { databaseUrl } from '../postgres/settings.ts';
import type { Logger } from '../lib/logger.ts';
import type { BrokerTransport } from '../transport/port.ts';
import { openResults } from './results.ts';
import { otlpReceivers } from './telemetry.ts';
import { transportOf } from './transport.ts';

export interface DoctorDeps {
  /** Closed at the end. On RabbitMQ it listens by a queue of its own: the agent's has one active consumer. */
  readonly transport: BrokerTransport;
  readonly openResults: DoctorPorts['openResults'];
  readonly grafanaUrl: string | undefined;
  /** The agent serves HTTPS; default false. */
  readonly tls?: boolean;
  /** Warnings of the configuration, insecure settings among them. */
  readonly warnings: readonly string[];
  readonly clock: Clock;
  /** Takes one line, without its end. */
  readonly line: (text: string) => void;
  readonly json: boolean;
  readonly waits?: DoctorPorts['waits'];
}

/** What the doctor examines, opened by the configuration. */
export function doctorParts(
  config: Config,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Pick<DoctorDeps, 'transport' | 'openResults' | 'grafanaUrl' | 'tls'> {
  return {
    transport: transportOf(config, { ...deps, ownQueue: true }),
    openResults: () => {
      const { backend, problem } = openResults(config, deps.clock);
      return problem === undefined ? Promise.resolve(backend) : Promise.reject(new Error(problem));
    },
    grafanaUrl: config.access.grafanaUrl,
    tls: config.http.certfile !== undefined,
  };
}

/** Runs `umbel doctor` with the agent's configuration, starting nothing; resolves to the exit code. */
export async function runDoctorCommand(config: Config, deps: DoctorDeps): Promise<0 | 1> {
  const { transport, clock } = deps;
  try {
    const checks = doctorChecks({
      broker: transport,
      eventExchange: config.broker.eventExchange,
      enablesEvents: config.control.enableEvents,
      openResults: deps.openResults,
      database: config.history.enabled ? await databaseContext(config, clock) : undefined,
      disk: {
        dataDir: config.history.dataDir,
        bufferDiskBytes: config.limits.bufferDiskBytes,
        freeBytes: () => freeBytes(resolve(config.history.dataDir)),
      },
      grafanaUrl: deps.grafanaUrl,
      openOtlp: () => otlpReceivers(config),
      agentUrl: agentUrl(config, deps.tls ?? false),
      agentToken: plainToken(config),
      warnings: deps.warnings,
      fetch: (url, init) => fetch(url, init),
      clock,
      ...(deps.waits && { waits: deps.waits }),
    });
    return await runDoctor(checks, { line: deps.line, json: deps.json }, { clock });
  } finally {
    await transport.close();
  }
}

/** A configured token for the agent itself, that of the lowest role: of a hashed one nobody knows the text. */
function plainToken({ access: { tokens } }: Config): string | undefined {
  const plain = tokens.filter(({ token }) => !token.startsWith('sha256:'));
  for (const role of ['viewer', 'editor', 'admin']) {
    const found = plain.find((one) => one.role === role);
    if (found !== undefined) return found.token;
  }
  return undefined;
}

/** Where this machine reaches the agent that listens as configured. */
function agentUrl({ http }: Config, tls: boolean): string {
  const address = http.address === '0.0.0.0' || http.address === '::' ? '127.0.0.1' : http.address;
  const host = address.includes(':') ? `[${address}]` : address;
  return `${tls ? 'https' : 'http'}://${host}:${http.port}${http.urlPrefix}`;
}

async function databaseContext({ history }: Config, clock: Clock): Promise<DatabaseContext> {
  const { databaseUrl: url, dataDir } = history;
  const migrations = await readdir(new URL('../sinks/history/migrations/', import.meta.url));
  return {
    displayUrl: url === undefined ? undefined : redactUrls(url),
    connect: async () => {
      const target = url ?? (await embeddedUrl(dataDir));
      return target === undefined ? undefined : connect(target);
    },
    migrations: migrations
      .filter((name) => name.endsWith('.sql'))
      .map((name) => parse(name).name)
      .sort(),
    retention: {
      celery_task_events: history.eventRetentionDays,
      celery_tasks: history.taskRetentionDays,
      celery_task_rollups: history.rollupRetentionDays,
    },
    nowMs: () => clock.now(),
  };
}

/** Of the embedded Postgres that runs on the data directory: postmaster.pid names its socket's directory in line 5. */
export async function embeddedUrl(dataDir: string): Promise<string | undefined> {
  const text = await readFile(join(resolve(dataDir), 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const socket = text.split('\n')[4]?.trim();
  return socket === undefined || socket === '' ? undefined : databaseUrl(await realpath(socket));
}

async function connect(url: string): Promise<SqlSession> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'umbel-doctor',
    connectionTimeoutMillis: 10_000,
    statement_timeout: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query("set timezone = 'UTC'");
  return {
    query: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
    close: () => client.end(),
  };
}

/** Of the directory, or of the nearest one above it that exists: the agent makes what is missing. */
export async function freeBytes(directory: string): Promise<number> {
  const found = await nearest(directory);
  await access(found, constants.W_OK);
  if (found !== directory) await tryToCreate(found);
  const { bavail, bsize } = await statfs(found);
  return bavail * bsize;
}

/** Rights and free bytes do not tell everything: nothing can be made in /proc. Leaves nothing behind. */
async function tryToCreate(parent: string): Promise<void> {
  try {
    await rmdir(await mkdtemp(join(parent, '.umbel-doctor-')));
  } catch (error) {
    throw new Error(`it cannot be created in ${parent} (${codeOf(error)})`);
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}

async function nearest(directory: string): Promise<string> {
  try {
    await access(directory);
    return directory;
  } catch (error) {
    if (dirname(directory) === directory) throw error;
    return nearest(dirname(directory));
  }
}
