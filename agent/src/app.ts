import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { listenOptions } from './app/access.ts';
import { loadOf } from './app/bounds.ts';
import { type Acting, openActing } from './app/acting.ts';
import { deliverLost, publish } from './app/pipeline.ts';
import { openReception, type Reception } from './app/reception.ts';
import { maskerOf } from './app/results.ts';
import { agentVersion, metricsOptions } from './app/settings.ts';
import { openShedding, type Shedding } from './app/shedding.ts';
import { agentStatus, gauges, isStandingBy, leads, shownFamilies, type StatusDeps } from './app/status.ts';
import { openTelemetry } from './app/telemetry.ts';
import { transportOf } from './app/transport.ts';
import type { Config } from './config/config.ts';
import { ClusterState } from './core/state/cluster.ts';
import { Connections } from './http/connections.ts';
import { startServer } from './http/server.ts';
import { CloserStack } from './lib/closer-stack.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { makeDirectory } from './lib/make-directory.ts';
import { createLiveHub } from './sinks/live/hub.ts';
import { createMetrics } from './sinks/metrics/metrics.ts';
import type { BrokerTransport } from './transport/port.ts';

/** Events whose identity is remembered, to tell doubled ones in the live model. */
const RECENT_EVENTS = 50_000;
const SWEEP_MS = 1000;

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
  /**
   * Puts what was heard and is not stored into files, for a process that ends at once.
   * @throws the file system's error
   */
  keep(): void;
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
  const { clock, logger, warnings = [] } = deps;
  makeDataDirectory(config.history.dataDir);
  const version = agentVersion();
  const startedMs = clock.now();
  const transport = transportOf(config, { clock, logger });
  const masker = maskerOf(config);
  const cluster = new ClusterState({ ...config.limits, recentEvents: RECENT_EVENTS });
  const metrics = createMetrics(metricsOptions(config, version), clock);
  const live = createLiveHub({ clock });
  open.use(metrics.startSweeping());
  const connections = new Connections(config.http.maxConnections);
  const shedding = openShedding(logger, (work) => {
    if (work === 'live') live.close();
  });

  const otlp = await openTelemetry(config, { clock, logger, transport, metrics, shedding }, open);
  const parts = { clock, logger, transport, cluster, metrics, live, otlp, masker, shedding };
  open.use(transport);
  const reception = await openReception(config, parts, open);
  const { history } = reception;
  const acting = openActing(config, { ...parts, history }, open);
  const about: StatusDeps = {
    ...parts,
    ...reception,
    ...acting,
    config,
    connections,
    version,
    startedMs,
    warnings,
    slice: config.agent.slice,
  };
  metrics.gauges(() => gauges(about));
  metrics.show(() => shownFamilies(about));
  metrics.cluster.hear(() => cluster.workers());
  await history?.firstTry;
  const server = open.use(
    await startServer(
      {
        ...parts,
        ...acting,
        history: history?.reader,
        maskArguments: (given) => masker.value(given) as Readonly<Record<string, unknown>>,
        onRefused: (entry) => void acting.audit.record(entry),
        shedsLive: () => shedding.refuses('live'),
        status: () => agentStatus(about),
      },
      { ...listenOptions(config, (path) => readFileSync(path, 'utf8')), connections },
    ),
  );

  startListening({ ...parts, reception, acting, about }, open);
  return {
    url: server.url,
    port: server.port,
    demo: transport.scheme === 'demo',
    close: () => open.close(),
    keep: () => reception.keep(),
  };
}

interface Listening {
  readonly clock: Clock;
  readonly transport: BrokerTransport;
  readonly cluster: ClusterState;
  readonly shedding: Shedding;
  readonly reception: Reception;
  readonly acting: Acting;
  readonly about: StatusDeps;
}

/** From here on events come in, and everything that goes by the clock begins. */
function startListening(
  { clock, transport, cluster, shedding, reception, acting, about }: Listening,
  open: CloserStack,
): void {
  const { ingest, losses, history, sinks } = reception;
  // Before the history is closed nothing more is taken; the connection is closed after it, so that what it stored last
  // can still be settled with the broker.
  let isTaking = true;
  let turnMs = 0;
  open.use({
    close: () => {
      isTaking = false;
    },
  });
  transport.consumeEvents({
    onMessage: (message) => {
      if (isTaking) ingest.accept(message);
    },
    onTurn: () => {
      turnMs = clock.now();
      reception.onTurn();
    },
    onGap: (gap) => {
      losses.gap(gap);
      acting.healing?.gapEnded();
    },
  });
  ingest.wake();
  open.use(acting.startProbing());
  acting.healing?.start();
  const stopSweep = clock.every(SWEEP_MS, () => {
    const nowMs = clock.now();
    losses.sweep(nowMs);
    shedding.look(loadOf(about));
    const health = transport.health();
    const { connected, keepsEvents = false, sinceMs, problem = 'the broker cannot be reached' } = health;
    // Who is not given the heartbeats knows of no worker that it is silent, nor while they wait to be read.
    const heardUpToMs = reception.intake.peek(1)[0]?.receivedMs ?? nowMs;
    const silent = connected && !isStandingBy(about) ? cluster.sweep(heardUpToMs, Math.max(sinceMs, turnMs)) : [];
    for (const change of silent) {
      // Agents that know a worker from the history alone cannot tell one event of its silence: one of them tells.
      if (change.worker.isHeard || leads(history)) deliverLost(change, nowMs, sinks);
      else publish(change, nowMs, sinks);
    }
    if (connected) history?.listening.listening(keepsEvents, health.heardUpToMs);
    // RabbitMQ keeps what nobody hears.
    else if (transport.scheme === 'redis') history?.listening.deaf(health.heardUpToMs ?? sinceMs, problem);
  });
  open.use({ close: stopSweep });
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
