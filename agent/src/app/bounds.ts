import type { Config } from '../config/config.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { CLIENT_LIMITS, type Connections } from '../http/connections.ts';
import type { Bound } from '../http/ports.ts';
import type { SpillQueue } from '../lib/spill/spill-queue.ts';
import { DEFAULT_LIMITS } from '../sinks/history/safe-values.ts';
import type { LiveHub } from '../sinks/live/hub.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { OtlpSink } from '../sinks/otlp/sink.ts';
import type { History } from './history.ts';
import { MAX_WAITING } from './listening.ts';
import type { Losses } from './losses.ts';
import type { Load } from './shedding.ts';

export interface BoundsDeps {
  readonly config: Config;
  readonly cluster: ClusterState;
  readonly intake: SpillQueue<RawMessage>;
  readonly history: History | undefined;
  readonly losses: Losses;
  readonly live: LiveHub;
  readonly connections: Connections;
  readonly otlp: OtlpSink | undefined;
  readonly metrics: Metrics;
}

/**
 * Every bound that fills up with the load, how full it is, and how often something found no room; and how often what is
 * bounded one by one was over its limit. From memory alone.
 */
export function boundsOf(deps: BoundsDeps): readonly Bound[] {
  return [
    ...eventBounds(deps),
    ...storeBounds(deps),
    ...modelBounds(deps),
    ...clientBounds(deps),
    ...requestBounds(deps),
    ...otlpBounds(deps),
  ];
}

/** How full the files of waiting events are. */
export function loadOf({ config, intake, history }: Pick<BoundsDeps, 'config' | 'intake' | 'history'>): Load {
  const bytes = Math.max(intake.diskBytes, history?.queue.diskBytes ?? 0);
  const most = config.limits.bufferDiskBytes;
  return { fill: most === 0 ? 0 : bytes / most, canStore: history?.problem() === undefined };
}

function eventBounds({ config, intake, history, losses }: BoundsDeps): Bound[] {
  const { bufferMemoryBytes, bufferDiskBytes } = config.limits;
  const memory = { limit: bufferMemoryBytes, unit: 'bytes', option: '--buffer-memory', exceeded: 0 } as const;
  const files = { limit: bufferDiskBytes, unit: 'bytes', option: '--buffer-disk' } as const;
  const lost = losses.lost();
  const then = 'new events are lost: counted, and recorded as a gap';
  return [
    {
      ...memory,
      bound: 'event_memory',
      used: intake.memoryBytes + (history?.queue.memoryBytes ?? 0),
      then: 'events go to files',
    },
    { ...files, bound: 'intake_files', used: intake.diskBytes, exceeded: lost.intake, then },
    { ...files, bound: 'history_files', used: history?.queue.diskBytes ?? 0, exceeded: lost.history, then },
  ];
}

function storeBounds({ config, history }: BoundsDeps): Bound[] {
  if (history === undefined) return [];
  const { texts, fields } = history.cut();
  const { waiting, joined } = history.listening.gaps();
  return [
    {
      bound: 'stored_texts',
      limit: config.limits.textLength,
      unit: 'characters',
      exceeded: texts,
      option: '--max-text-length',
      then: 'arguments, results and exceptions are cut, with a mark; tracebacks at --max-traceback-length, names at 255',
    },
    {
      bound: 'event_fields',
      limit: DEFAULT_LIMITS.fields,
      unit: 'characters',
      exceeded: fields,
      then: 'the longest fields of the event are cut, with a mark',
    },
    {
      bound: 'gaps_waiting',
      used: waiting,
      limit: MAX_WAITING,
      unit: 'count',
      exceeded: joined,
      then: 'further ones are joined into the last',
    },
  ];
}

function modelBounds({ config, cluster, metrics }: BoundsDeps): Bound[] {
  const { openTasks, finishedTasks, workers } = config.limits;
  const counts = cluster.counts();
  const labelSets = metrics.labelSets();
  const then = 'the oldest leave the live model; the history keeps them';
  const model = { unit: 'count', then } as const;
  return [
    {
      ...model,
      bound: 'open_tasks',
      used: counts.openTasks,
      limit: openTasks,
      exceeded: counts.evictedOpen,
      option: '--max-open-tasks',
    },
    {
      ...model,
      bound: 'finished_tasks',
      used: counts.finishedTasks,
      limit: finishedTasks,
      exceeded: counts.evictedFinished,
      option: '--max-finished-tasks',
    },
    {
      ...model,
      bound: 'workers',
      used: counts.workers,
      limit: workers,
      exceeded: counts.evictedWorkers,
      option: '--max-workers',
    },
    {
      bound: 'label_sets',
      ...labelSets,
      unit: 'count',
      option: '--max-series',
      then: 'further ones are counted under "other"',
    },
  ];
}

function clientBounds({ config, live, connections, history }: BoundsDeps): Bound[] {
  const { subscribers, dropped, refused } = live.stats();
  const reads = history?.reads();
  return [
    {
      bound: 'connections',
      used: connections.open,
      limit: connections.max,
      unit: 'count',
      exceeded: connections.refused,
      option: '--max-connections',
      then: 'further ones are closed at once',
    },
    {
      bound: 'live_streams',
      used: subscribers,
      limit: config.http.maxLiveStreams,
      unit: 'count',
      exceeded: dropped + refused,
      option: '--max-live-streams',
      then: 'further ones are refused with 503; one that reads too slowly loses its oldest messages, and is told how many',
    },
    ...(reads === undefined
      ? []
      : [
          {
            bound: 'database_reads',
            used: reads.taken,
            limit: reads.seats,
            unit: 'count' as const,
            exceeded: reads.refused + reads.timedOut,
            option: '--database-connections',
            then: 'further ones wait for ten seconds, 100 at most; others are refused with 503; one that takes longer than --statement-timeout is ended with 504',
          },
        ]),
  ];
}

function requestBounds({ connections: { oversized, slow, idle } }: BoundsDeps): Bound[] {
  return [
    {
      bound: 'request_size',
      limit: CLIENT_LIMITS.bodyBytes,
      unit: 'bytes',
      exceeded: oversized,
      then: 'the request is refused with 413; one of a too long URL with 414, of too long headers with 431',
    },
    {
      bound: 'slow_clients',
      limit: CLIENT_LIMITS.silentMs / 1000,
      unit: 'seconds',
      exceeded: slow,
      then: 'who neither reads nor writes is disconnected; who takes too long over a request gets 408',
    },
    {
      bound: 'idle_connections',
      limit: CLIENT_LIMITS.idleMs / 1000,
      unit: 'seconds',
      exceeded: idle,
      then: 'a connection without a further request is closed; clients open another',
    },
  ];
}

function otlpBounds({ config, otlp }: BoundsDeps): Bound[] {
  return Object.entries(otlp?.stats().signals ?? {}).map(([signal, { waitingBytes, dropped }]) => ({
    bound: `otlp_${signal}`,
    used: waitingBytes,
    limit: config.otlp.queueBytes,
    unit: 'bytes',
    exceeded: dropped.overflow,
    option: '--otlp-queue-size',
    then: 'the oldest are dropped',
  }));
}
