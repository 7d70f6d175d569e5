import { type Slice, sliceText } from '../core/events/slice.ts';
import type { AgentStatus } from '../http/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { BrokerTransport, TransportHealth } from '../transport/port.ts';
import type { GaugeSnapshot } from '../sinks/metrics/agent-set.ts';
import { ALL_SHOWN, type Shown } from '../sinks/metrics/scope.ts';
import type { OtlpStats } from '../sinks/otlp/sink.ts';
import { boundsOf, type BoundsDeps } from './bounds.ts';
import type { History } from './history.ts';
import { namesakeWarning } from './listening.ts';
import type { Totals } from './pipeline.ts';
import type { Shedding } from './shedding.ts';

/** Workers are heard for this long without one task event before the agent says what may be missing. */
const NO_TASK_EVENTS_MS = 60_000;

/** Longer than any write takes: the database, or the way to it, is frozen. */
const STUCK_MS = 60_000;

export interface StatusDeps extends BoundsDeps {
  readonly version: string;
  readonly startedMs: number;
  readonly clock: Clock;
  readonly transport: BrokerTransport;
  readonly totals: Totals;
  readonly shedding: Pick<Shedding, 'sentences' | 'stats'>;
  readonly warnings: readonly string[];
  readonly slice: Slice;
  readonly resultsProblem: () => string | undefined;
}

/** How the agent stands, from memory alone. */
export function agentStatus(deps: StatusDeps): AgentStatus {
  const { history, clock, transport, totals } = deps;
  const health = transport.health();
  const counts = deps.cluster.counts();
  const { problem } = health;
  return {
    version: deps.version,
    startedMs: deps.startedMs,
    demo: transport.scheme === 'demo',
    role: leads(history) ? 'leader' : 'standby',
    ...replicaStatus(deps),
    broker: {
      displayUrl: transport.displayUrl,
      connected: health.connected,
      sinceMs: health.sinceMs,
      reconnects: health.reconnects,
      ...(problem === undefined ? {} : { problem }),
    },
    history: historyStatus(history, clock.now()),
    otlp: otlpStatus(deps.otlp?.stats()),
    counts: {
      ...totals,
      ...counts,
      onlineWorkers: deps.cluster.workers().filter(({ online }) => online).length,
      intakeBytes: deps.intake.memoryBytes + deps.intake.diskBytes,
    },
    shedding: deps.shedding.sentences(),
    limits: boundsOf(deps),
    warnings: [...deps.warnings, ...currentWarnings(deps, health)],
  };
}

/** Which families this agent shows, so that a sum over all that are scraped counts nothing twice. */
export function shownFamilies({ history, transport }: Pick<StatusDeps, 'history' | 'transport'>): Shown {
  if (history === undefined) return ALL_SHOWN;
  const [cluster, slice] = [history.leadership.showsCluster(), history.leadership.showsSlice()];
  const takesTurns = transport.scheme === 'amqp';
  return {
    // On RabbitMQ each event is given to one agent, which keeps on showing what it counted.
    taskCounts: takesTurns || slice,
    taskGauges: slice,
    workers: takesTurns ? slice : cluster,
    probes: cluster,
  };
}

/** The broker gives the events to another agent. */
export function isStandingBy(deps: Pick<StatusDeps, 'history' | 'transport'>): boolean {
  return deps.transport.scheme === 'amqp' && !shownFamilies(deps).taskGauges;
}

function replicaStatus(deps: StatusDeps): Pick<AgentStatus, 'standingBy' | 'slice'> {
  const standingBy = isStandingBy(deps);
  if (deps.slice.of === 1) return { standingBy };
  const missing = (deps.history?.leadership.missingSlices() ?? []).map(sliceText);
  return { standingBy, slice: { name: sliceText(deps.slice), active: shownFamilies(deps).taskGauges, missing } };
}

function replicaGauges(deps: StatusDeps): NonNullable<GaugeSnapshot['replica']> {
  return {
    leads: leads(deps.history),
    isStandingBy: isStandingBy(deps),
    slice: sliceText(deps.slice),
    showsSlice: shownFamilies(deps).taskGauges,
    missingSlices: deps.history?.leadership.missingSlices().length ?? 0,
    misfitSlices: deps.history?.leadership.misfitSlices().length ?? 0,
    foreignEvents: deps.totals.foreign,
  };
}

/** Without a history there is nothing to share: the agent leads itself. */
export function leads(history: Pick<History, 'leadership'> | undefined): boolean {
  return history?.leadership.leads() ?? true;
}

function historyStatus(history: History | undefined, nowMs: number): AgentStatus['history'] {
  if (history === undefined) return { enabled: false, connected: false, lagMs: 0, queuedBatches: 0, spilledBytes: 0 };
  const lagMs = historyLagMs(history, nowMs);
  const stuck = `events have waited ${Math.round(lagMs / 1000)} s for the database`;
  const problem = history.problem() ?? (lagMs > STUCK_MS ? stuck : undefined);
  return {
    enabled: true,
    connected: problem === undefined,
    lagMs,
    queuedBatches: history.queue.ready,
    spilledBytes: history.queue.diskBytes,
    ...(problem === undefined ? {} : { problem }),
  };
}

function otlpStatus(stats: OtlpStats | undefined): AgentStatus['otlp'] {
  return Object.entries(stats?.signals ?? {}).map(([signal, { displayUrl, sent, dropped, waiting, problem }]) => ({
    signal,
    displayUrl,
    connected: problem === undefined,
    sent,
    dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
    waiting,
    ...(problem === undefined ? {} : { problem }),
  }));
}

/** What a scrape adds to the counters, from memory alone. */
export function gauges(deps: StatusDeps): GaugeSnapshot {
  const { history, transport, cluster, intake } = deps;
  const { connected, reconnects } = transport.health();
  const { openTasks, finishedTasks } = cluster.counts();
  return {
    broker: { connected, reconnects },
    intakeQueueBytes: intake.memoryBytes + intake.diskBytes,
    tasksHeld: openTasks + finishedTasks,
    live: deps.live.stats(),
    replica: replicaGauges(deps),
    bounds: boundsOf(deps),
    shed: deps.shedding.stats(),
    resultBackendUp: deps.resultsProblem() === undefined,
    ...(deps.otlp === undefined ? {} : { otlp: deps.otlp.stats() }),
    ...(history === undefined ? {} : { history: historyGauges(history, deps.clock.now()) }),
  };
}

function historyGauges(history: History, nowMs: number): NonNullable<GaugeSnapshot['history']> {
  return {
    up: history.problem() === undefined,
    queueEvents: history.feed.waitingEvents(),
    spilledBytes: history.queue.diskBytes,
    lagSeconds: historyLagMs(history, nowMs) / 1000,
    size: history.size(),
  };
}

/** Age of the oldest event that is not stored, ms. */
function historyLagMs(history: History, nowMs: number): number {
  const oldestMs = history.feed.oldestMs();
  return oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs);
}

function currentWarnings(deps: StatusDeps, { hint, connected }: TransportHealth): string[] {
  const warnings: string[] = [...deps.shedding.sentences()];
  if (deps.transport.scheme === 'demo') {
    warnings.push('DEMO: these tasks and workers are simulated. Give a broker with --broker to see your own.');
  }
  if (hint !== undefined) warnings.push(hint);
  const results = deps.resultsProblem();
  if (results !== undefined) warnings.push(results);
  const upMs = deps.clock.now() - deps.startedMs;
  const online = deps.cluster.workers().filter((worker) => worker.online).length;
  if (connected && upMs > NO_TASK_EVENTS_MS && online > 0 && deps.totals.taskEvents === 0) {
    warnings.push(
      `${online} workers are online but none has sent a task event: start them with -E, or set worker_send_task_events = True.`,
    );
  }
  if (deps.history?.listening.hasNamesake() === true) warnings.push(namesakeWarning(deps.config.agent.name));
  const missing = deps.history?.leadership.missingSlices() ?? [];
  if (missing.length > 0) {
    warnings.push(
      `No agent listens to ${missing.length === 1 ? 'the slice' : 'the slices'} ${missing.map(sliceText).join(', ')}: start one with --slice for each.`,
    );
  }
  const misfits = deps.history?.leadership.misfitSlices() ?? [];
  if (misfits.length > 0) {
    warnings.push(
      `Agents with --slice ${misfits.map(sliceText).join(', ')} run beside this one with ${sliceText(deps.slice)}: tasks are counted twice. Give all of them the same number of slices.`,
    );
  }
  if (deps.totals.dropped > 0) {
    warnings.push(
      `${deps.totals.dropped} messages were dropped because memory and disk were full: give --buffer-disk more room.`,
    );
  }
  return warnings;
}
