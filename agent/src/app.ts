import { join, resolve } from 'node:path';
import { startHistory, type History } from './app/history.ts';
import { watchLosses } from './app/losses.ts';
import { deliver, publish, type Totals } from './app/pipeline.ts';
import { takeOver } from './app/seed.ts';
import { agentVersion, historyOptions, metricsOptions, redisOptions } from './app/settings.ts';
import { agentStatus, gauges, type StatusDeps } from './app/status.ts';
import type { Config } from './config/config.ts';
import { decodeMessage } from './core/events/decode.ts';
import { ClusterState } from './core/state/cluster.ts';
import type { RawMessage } from './core/wire/message.ts';
import { startServer } from './http/server.ts';
import { messageCodec } from './ingest/codecs.ts';
import { startIngest } from './ingest/ingest.ts';
import { CloserStack } from './lib/closer-stack.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { makeDirectory } from './lib/make-directory.ts';
import { SpillQueue } from './lib/spill/spill-queue.ts';
import { openEmbeddedPostgres } from './postgres/embedded.ts';
import { createLiveHub } from './sinks/live/hub.ts';
import { createMetrics } from './sinks/metrics/metrics.ts';
import { openTransport } from './transport/index.ts';
import { parseBrokerUrls } from './transport/url.ts';

/** Events whose identity is remembered, to tell doubled ones in the live model. */
const RECENT_EVENTS = 50_000;
const SWEEP_MS = 1000;
/** What storing the last events may take of a shutdown, ms. */
const CLOSE_HISTORY_MS = 6000;

export interface AgentDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  /** What the configuration was found to lack, in whole sentences; shown on `/api/v1/status`. */
  readonly warnings?: readonly string[];
}

export interface Agent {
  readonly url: string;
  readonly port: number;
  /** The events are those of the simulated cluster. */
  readonly demo: boolean;
  /** Stores what was heard, or puts it into files; then lets go of everything. */
  close(): Promise<void>;
}

/** Starts the whole agent. Rejects, with everything closed again, when a part cannot start. */
export async function startAgent(config: Config, deps: AgentDeps): Promise<Agent> {
  const open = new CloserStack();
  try {
    return await compose(config, deps, open);
  } catch (error) {
    await open.close().catch((closing: unknown) => deps.logger.error({ err: closing }, 'not everything was closed'));
    throw error;
  }
}

async function compose(config: Config, deps: AgentDeps, open: CloserStack): Promise<Agent> {
  const { clock, logger } = deps;
  makeDataDirectory(config.history.dataDir);
  const version = agentVersion();
  const startedMs = clock.now();
  const totals: Totals = { events: 0, taskEvents: 0, rejects: 0, dropped: 0 };
  const urls = parseBrokerUrls(config.broker.url ?? 'demo://');
  const transport = openTransport(urls, { redis: redisOptions(config), clock, logger });
  const cluster = new ClusterState({ ...config.limits, recentEvents: RECENT_EVENTS });
  const metrics = createMetrics(metricsOptions(config, version), clock);
  const live = createLiveHub({ clock });
  open.use(metrics.startSweeping());

  const losses = watchLosses({ clock, logger, metrics, totals, history: () => history });
  const history = await openHistory(config, deps, open, {
    decode: decodeMessage,
    onWrite: (report) => metrics.historyWrite(report),
    onWriteError: () => metrics.historyError(),
    onRoom: () => ingest.wake(),
    onOverflow: (batch) => losses.overflow('history', batch.message),
    onOpen: (reader) => takeOver(cluster, reader, config.limits.openTasks / 2, logger),
  });
  const sinks = { cluster, metrics, live, history, totals };
  const intake = openIntake(config);
  const ingest = startIngest({
    queue: intake,
    decode: decodeMessage,
    clock,
    onBatch: (batch, nowMs) => deliver(batch, nowMs, sinks),
    onReject: (reject) => losses.reject(reject),
    onOverflow: (message) => losses.overflow('intake', message),
    hasRoom: () => history?.feed.hasRoom() ?? true,
  });
  if (history !== undefined) open.use({ close: () => history.close(clock.now() + CLOSE_HISTORY_MS) });
  open.use(ingest);

  const { warnings = [] } = deps;
  const about: StatusDeps = { ...sinks, version, startedMs, clock, transport, intake, warnings };
  metrics.gauges(() => gauges(about));
  const server = open.use(
    await startServer(
      { history: history?.reader, live, metrics, status: () => agentStatus(about), clock, logger },
      { port: config.http.port, address: config.http.address, urlPrefix: config.http.urlPrefix },
    ),
  );
  await history?.firstTry;

  open.use(transport);
  transport.consumeEvents({ onMessage: (message) => ingest.accept(message), onGap: (gap) => losses.gap(gap) });
  ingest.wake();
  const stopSweep = clock.every(SWEEP_MS, () => {
    const nowMs = clock.now();
    losses.sweep(nowMs);
    for (const change of cluster.sweep(nowMs)) publish(change, nowMs, sinks);
    if (transport.health().connected) history?.listening.listening();
  });
  open.use({ close: stopSweep });
  return { url: server.url, port: server.port, demo: transport.scheme === 'demo', close: () => open.close() };
}

/** The history over the given database, or over an embedded one; undefined when none is wanted. */
async function openHistory(
  config: Config,
  { clock, logger }: AgentDeps,
  open: CloserStack,
  deps: Omit<Parameters<typeof startHistory>[1], 'clock' | 'logger'>,
): Promise<History | undefined> {
  if (!config.history.enabled) return undefined;
  const { databaseUrl, dataDir } = config.history;
  const url = databaseUrl ?? open.use(await openEmbeddedPostgres({ dataDir, clock, logger })).url;
  return startHistory(historyOptions(config, url), { ...deps, clock, logger });
}

/** Before anything else is begun: whoever typed a wrong path is to know at once. */
function makeDataDirectory(dataDir: string): void {
  try {
    makeDirectory(join(dataDir, 'spill'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the data directory ${resolve(dataDir)} cannot be used (${reason}); give another by --data-dir`, {
      cause: error,
    });
  }
}

/** Where messages wait for the decoder: half of the memory for waiting events, the decoded ones have the other. */
function openIntake({ history, limits }: Config): SpillQueue<RawMessage> {
  return SpillQueue.open({
    directory: join(history.dataDir, 'spill', 'intake'),
    codec: messageCodec,
    memoryBytes: limits.bufferMemoryBytes / 2,
    diskBytes: limits.bufferDiskBytes,
  });
}
