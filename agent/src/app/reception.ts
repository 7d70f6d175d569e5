import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { messageCodec } from '../ingest/codecs.ts';
import { type Ingest, startIngest } from '../ingest/ingest.ts';
import type { CloserStack } from '../lib/closer-stack.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { SpillQueue } from '../lib/spill/spill-queue.ts';
import { openEmbeddedPostgres } from '../postgres/embedded.ts';
import type { LiveHub } from '../sinks/live/hub.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { OtlpSink } from '../sinks/otlp/sink.ts';
import type { BrokerTransport } from '../transport/port.ts';
import { type History, startHistory } from './history.ts';
import type { Hearing } from './leadership.ts';
import { type Losses, watchLosses } from './losses.ts';
import { maskedDecoder } from './masked-decoder.ts';
import { deliver, type Delivery, type Totals } from './pipeline.ts';
import { seedingOf } from './seed.ts';
import type { Shedding } from './shedding.ts';
import { historyOptions } from './settings.ts';

/** What storing the last events may take of a shutdown, ms. */
const CLOSE_HISTORY_MS = 4000;
const FLUSH_MS = 1000;
const DAY_MS = 86_400_000;

export interface ReceptionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: Pick<BrokerTransport, 'scheme' | 'settle' | 'health'>;
  readonly cluster: ClusterState;
  readonly metrics: Metrics;
  readonly live: LiveHub;
  readonly otlp: OtlpSink | undefined;
  readonly masker: Masker;
  readonly shedding: Pick<Shedding, 'refuses'>;
}

/** Takes the broker's messages to every sink. */
export interface Reception {
  readonly ingest: Ingest;
  readonly intake: SpillQueue<RawMessage>;
  readonly history: History | undefined;
  readonly losses: Losses;
  readonly sinks: Delivery;
  readonly totals: Totals;
  /** Another agent may have had the events until now (RabbitMQ). */
  onTurn(): void;
  /**
   * Puts what is not stored into files at once, for the next start.
   * @throws the file system's error
   */
  keep(): void;
}

/** Opens the way from the transport to model, metrics, live streams and history. Rejects when Postgres cannot be started. */
export async function openReception(config: Config, deps: ReceptionDeps, open: CloserStack): Promise<Reception> {
  const { clock, logger, transport, cluster, metrics, live, otlp } = deps;
  const totals: Totals = { events: 0, taskEvents: 0, rejects: 0, foreign: 0, dropped: 0 };
  const { slice } = config.agent;
  const decode = maskedDecoder(deps.masker, slice);
  const maxTasks = config.limits.openTasks / 2;
  const seeding = seedingOf({
    ...{ cluster, slice, maxTasks, clock, logger },
    eventsKeptMs: config.history.eventRetentionDays * DAY_MS,
    isStored: () => history?.queue.empty ?? true,
    onReady: () => ingest.wake(),
  });
  const losses = watchLosses({ ...deps, totals, history: () => history });
  const settle = settlerOf(transport);
  const lose = (queue: 'intake' | 'history', message: RawMessage): void => {
    losses.overflow(queue, message);
    settle(message);
  };

  // Where spans and log records are made of them once they are stored, events are kept until then.
  const decodeAgain = otlp === undefined ? (message: RawMessage) => decode(message).events : undefined;

  const history = await openHistory(config, deps, open, {
    decode,
    decodeAgain,
    hearing: hearingOf(config, transport),
    shedsSearches: () => deps.shedding.refuses('searches'),
    onWrite: (report) => {
      metrics.historyWrite(report);
      otlp?.stored(report.stored());
    },
    onWriteError: () => metrics.historyError(),
    oldestUndecodedMs: () => intake.peek(1)[0]?.receivedMs,
    untoldLossMs: () => losses.untoldSinceMs(),
    onRoom: () => ingest.wake(),
    onOverflow: ({ message }) => lose('history', message),
    onUnreadable: losses.unreadableIn('history'),
    onStored: (batches) => {
      settle(...batches.map(({ message }) => message));
      if (otlp !== undefined) for (const { events } of batches) otlp.settled(events);
    },
    onOpen: (reader) => seeding.first(reader),
  });
  const sinks = { cluster, metrics, live, otlp, history, totals };
  const intake = openIntake(config, losses.unreadableIn('intake'));
  const ingest = startIngest({
    queue: intake,
    decode,
    decodeAgain,
    clock,
    onBatch: (batch, nowMs) => {
      deliver(batch, nowMs, sinks);
      if (history === undefined) settle(batch.message);
    },
    onReject: (reject) => losses.reject(reject),
    onForeign: (events) => void (totals.foreign += events),
    onEmpty: settle,
    onOverflow: (message) => lose('intake', message),
    hasRoom: () => !seeding.isUnderWay() && (history?.feed.hasRoom() ?? true),
  });
  open.use({ close: startFlushing([intake, ...(history === undefined ? [] : [history.queue])], clock) });
  const tellFiles = (): void => {
    tellWaiting(intake.diskBytes + (history?.queue.diskBytes ?? 0), config, logger);
  };
  open.use({ close: tellFiles });
  if (history !== undefined) open.use({ close: () => history.close(clock.now() + CLOSE_HISTORY_MS) });
  open.use(losses);
  open.use(ingest);
  const onTurn = (): void => {
    if (history !== undefined) seeding.again(history.reader);
  };
  const keep = (): void => {
    intake.spill();
    history?.queue.spill();
    tellFiles();
  };
  return { ingest, intake, history, losses, sinks, totals, onTurn, keep };
}

/** Behind a backlog events wait in blocks for their file: not longer than this in memory alone. */
function startFlushing(queues: readonly Pick<SpillQueue<unknown>, 'flush'>[], clock: Clock): () => void {
  return clock.every(FLUSH_MS, () => {
    for (const queue of queues) queue.flush();
  });
}

/** RabbitMQ is to forget an event when it is stored, or can never be. */
function settlerOf(transport: Pick<BrokerTransport, 'settle'>): (...messages: readonly RawMessage[]) => void {
  return (...messages) => {
    const deliveries = messages.flatMap(({ delivery }) => delivery ?? []);
    if (deliveries.length > 0) transport.settle(deliveries);
  };
}

function tellWaiting(bytes: number, { history }: Config, logger: Logger): void {
  if (bytes === 0) return;
  const place = join(history.dataDir, 'spill');
  logger.warn(`${(bytes / 1e6).toFixed(1)} MB of events wait in files of ${place}: they are stored by the next start`);
}

/** The history over the given database, or over an embedded one; undefined when none is wanted. */
async function openHistory(
  config: Config,
  { clock, logger }: ReceptionDeps,
  open: CloserStack,
  deps: Omit<Parameters<typeof startHistory>[1], 'clock' | 'logger'>,
): Promise<History | undefined> {
  if (!config.history.enabled) return undefined;
  const { databaseUrl, dataDir } = config.history;
  const url = databaseUrl ?? open.use(await openEmbeddedPostgres({ dataDir, clock, logger })).url;
  return startHistory(historyOptions(config, url), { ...deps, clock, logger });
}

function hearingOf({ agent }: Config, transport: ReceptionDeps['transport']): Hearing {
  if (transport.scheme !== 'amqp') return { kind: 'all', slice: agent.slice };
  return { kind: 'turns', isReceiving: () => transport.health().receives === true };
}

/** Where messages wait for the decoder; the decoded events have the rest of the memory for waiting ones. */
function openIntake(
  { history, limits }: Config,
  onUnreadable: (path: string, bytes: number) => void,
): SpillQueue<RawMessage> {
  return SpillQueue.open({
    directory: join(history.dataDir, 'spill', 'intake'),
    codec: messageCodec,
    memoryBytes: limits.bufferMemoryBytes / 4,
    diskBytes: limits.bufferDiskBytes,
    onUnreadable,
  });
}
