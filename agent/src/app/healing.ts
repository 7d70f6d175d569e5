import type { Config } from '../config/config.ts';
import type { ControlService } from '../core/control/service.ts';
import type { TaskRecord } from '../core/query/records.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import { Healer } from '../heal/healer.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ResultBackend } from '../results/port.ts';
import type { LiveHub } from '../sinks/live/hub.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { OtlpSink } from '../sinks/otlp/sink.ts';
import type { BrokerTransport } from '../transport/port.ts';
import type { History } from './history.ts';

/** Events that waited longer than this for the database must be stored first: they may tell what is asked for. */
const LATE_MS = 5000;

export interface HealingDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: BrokerTransport;
  readonly cluster: ClusterState;
  readonly metrics: Metrics;
  readonly live: LiveHub;
  readonly otlp: OtlpSink | undefined;
  readonly masker: Masker;
  readonly history: History | undefined;
  readonly control: ControlService;
  readonly backend: ResultBackend | undefined;
}

export interface Healing {
  /** To be called once the broker is listened to. */
  start(): void;
  gapEnded(): void;
  replaced(orphan: TaskRecord, newTaskId: string): void;
  close(): Promise<void>;
}

/** Healing of what the history missed; undefined where there is no history, it is off, or the cluster is simulated. */
export function openHealing({ healing }: Config, deps: HealingDeps): Healing | undefined {
  const { history, transport, cluster, metrics, live, otlp, clock } = deps;
  if (history === undefined || !healing.enabled || transport.scheme === 'demo') return undefined;
  const healer = new Healer(
    { ...healing },
    {
      ...deps,
      tasks: transport.tasks,
      store: history.healStore,
      worker: (hostname) => cluster.worker(hostname),
      isNamed: (taskId) => (cluster.task(taskId)?.name ?? null) !== null,
      listeningSince: () => {
        const { connected, sinceMs } = transport.health();
        const isLate = clock.now() - (history.feed.oldestMs() ?? Infinity) > LATE_MS;
        const isTurn = history.leadership.leads() && history.problem() === undefined;
        return connected && isTurn && !isLate ? sinceMs : undefined;
      },
      onSettled: (settled) => {
        metrics.onFinding(settled);
        otlp?.onFinding(settled);
        const change = cluster.settle(settled.finding);
        if (change !== undefined) live.publish(change);
      },
      onRun: ({ failed, orphans }) => metrics.onHealRun(failed, orphans),
    },
  );
  return {
    start: () => healer.start(),
    gapEnded: () => healer.gapEnded(),
    replaced: (orphan, newTaskId) => void healer.replaced(orphan, newTaskId),
    close: () => healer.close(),
  };
}
