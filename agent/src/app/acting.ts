import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { openControl } from '../control/open.ts';
import type { ControlService } from '../core/control/service.ts';
import type { AuditTrail } from '../core/identity/audit.ts';
import type { Identity } from '../core/identity/identify.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import { openIdentity } from '../identity/open.ts';
import type { CloserStack } from '../lib/closer-stack.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { openAuditTrail } from '../sinks/history/audit.ts';
import type { LiveHub } from '../sinks/live/hub.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { OtlpSink } from '../sinks/otlp/sink.ts';
import type { BrokerTransport } from '../transport/port.ts';
import type { History } from './history.ts';
import { openHealing, type Healing } from './healing.ts';
import { logAudit } from './log-audit.ts';
import { startProbes } from './probes.ts';
import { openResults } from './results.ts';
import { identityOptions } from './access.ts';
import { controlOptions } from './control-options.ts';

export interface ActingDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: BrokerTransport;
  readonly cluster: ClusterState;
  readonly metrics: Metrics;
  readonly masker: Masker;
  readonly live: LiveHub;
  readonly otlp: OtlpSink | undefined;
  readonly history: History | undefined;
}

/** What people need to act on the cluster, and what is kept of it. */
export interface Acting {
  readonly control: ControlService;
  readonly identity: Identity;
  readonly audit: AuditTrail;
  /** Undefined where nothing is healed. */
  readonly healing: Healing | undefined;
  /** Why results cannot be looked up; undefined when they can. */
  resultsProblem(): string | undefined;
  /** To be called once the broker is listened to: before, nobody can be asked. */
  startProbing(): { close(): void };
}

/** Opens remote control, results, sign-in and audit. Nothing of it connects before it is used. */
export function openActing(config: Config, deps: ActingDeps, open: CloserStack): Acting {
  const { clock, logger, transport, cluster, metrics, masker, history } = deps;
  const { backend, problem } = openResults(config, clock);
  if (problem !== undefined) logger.warn(problem);
  if (backend !== undefined) open.use(backend);
  const audit =
    history === undefined
      ? logAudit(logger)
      : open.use(
          openAuditTrail({
            ...{ pool: history.pool, clock, logger, retentionDays: config.history.auditRetentionDays },
            leads: () => history.leadership.leads(),
          }),
        );
  const control = open.use(
    openControl({
      transport,
      workers: () => cluster.workers(),
      backend,
      history: history?.reader,
      masker,
      onReplaced: (orphan, newTaskId) => healing?.replaced(orphan, newTaskId),
      sentMs: (taskId) => {
        const sent = cluster.task(taskId)?.sent ?? undefined;
        return sent === undefined ? undefined : Math.round(sent * 1000);
      },
      clock,
      logger,
      options: controlOptions(config, `umbel@${hostname()}`),
    }),
  );
  const healing = openHealing(config, { ...deps, control, backend });
  if (healing !== undefined) open.use(healing);
  return {
    control,
    healing,
    identity: openIdentity(identityOptions(config), { clock, logger }),
    audit,
    resultsProblem: () => problem ?? backend?.health().problem,
    startProbing: () =>
      startProbes({
        control,
        depths: (names) => transport.tasks.depths(names),
        cluster,
        metrics,
        clock,
        logger,
        intervalMs: config.metrics.probeIntervalMs,
        ...(history !== undefined && { leadership: history.leadership }),
      }),
  };
}
