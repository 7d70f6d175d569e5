import type { Config } from '../config/config.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import type { RawMessage } from '../core/wire/message.ts';
import type { Connections } from '../http/connections.ts';
import type { Bound } from '../http/ports.ts';
import type { SpillQueue } from '../lib/spill/spill-queue.ts';
import type { LiveHub } from '../sinks/live/hub.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { OtlpSink } from '../sinks/otlp/sink.ts';
import type { History } from './history.ts';
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

/** Every bound that fills up with the load, how full it is, and how often something found no room. From memory alone. */
export function boundsOf(deps: BoundsDeps): readonly Bound[] {
  return [...eventBounds(deps), ...modelBounds(deps), ...clientBounds(deps), ...otlpBounds(deps)];
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
