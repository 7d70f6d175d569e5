import type { WorkerInspection } from '../../core/control/service.ts';
import { workerReading } from '../../core/control/worker-reading.ts';
import type {
  FailureGroup,
  TaskEventRecord,
  TaskRecord,
  TimeSeries,
  WorkerEventRecord,
  WorkerRecord,
} from '../../core/query/records.ts';
import { traceIdOfTask } from '../../core/telemetry/ids.ts';
import type { ApiTask, ApiWorker } from './schemas.ts';

/** The one place where the wire's seconds become the API's milliseconds. */
function toMs(seconds: number | null): number | null {
  if (seconds === null || !Number.isFinite(seconds)) return null;
  return Math.round(seconds * 1e6) / 1e3;
}

const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** A stored task as `/api/v1` shows it. */
export function toApiTask(task: TaskRecord): ApiTask {
  return {
    taskId: task.taskId,
    name: task.name,
    state: task.state,
    worker: task.worker,
    client: task.client,
    queue: task.queue,
    exchange: task.exchange,
    routingKey: task.routingKey,
    rootId: task.rootId,
    traceId: traceIdOfTask(task.taskId, task.rootId),
    parentId: task.parentId,
    args: task.args,
    kwargs: task.kwargs,
    result: task.result,
    exception: task.exception,
    exceptionType: task.exceptionType,
    traceback: task.traceback,
    eta: task.eta,
    expires: task.expires,
    retries: finite(task.retries),
    runtimeMs: toMs(task.runtime),
    sentMs: toMs(task.sent),
    receivedMs: toMs(task.received),
    startedMs: toMs(task.started),
    succeededMs: toMs(task.succeeded),
    failedMs: toMs(task.failed),
    retriedMs: toMs(task.retried),
    revokedMs: toMs(task.revoked),
    rejectedMs: toMs(task.rejected),
    timestampMs: toMs(task.timestamp) ?? 0,
    clock: finite(task.clock),
    pid: finite(task.pid),
    oddities: task.oddities,
    healed: task.healed,
    orphaned: task.orphaned,
    retriedAs: task.retriedAs,
    markedMs: task.markedMs,
  };
}

/** @param inspection what the worker last told when it was asked, where it was */
export function toApiWorker(worker: WorkerRecord, inspection?: WorkerInspection): ApiWorker {
  return {
    hostname: worker.hostname,
    online: worker.online,
    lastHeartbeatMs: worker.lastHeartbeatMs,
    firstSeenMs: worker.firstSeenMs,
    pid: finite(worker.pid),
    heartbeatEveryMs: toMs(worker.freq),
    active: finite(worker.active),
    processed: finite(worker.processed),
    loadavg: worker.loadavg,
    software: worker.swIdent,
    softwareVersion: worker.swVer,
    system: worker.swSys,
    clock: finite(worker.clock),
    ...(inspection === undefined ? {} : inspectedMembers(worker, inspection)),
  };
}

function inspectedMembers({ hostname, swSys }: WorkerRecord, inspection: WorkerInspection): Partial<ApiWorker> {
  const reading = workerReading(hostname, inspection, swSys);
  const { pool, poolSize, autoscale, prefetchCount, cpuSeconds, uptimeSeconds } = reading;
  return {
    ...(inspection.active_queues !== undefined && { queues: [...reading.queues] }),
    ...(pool !== undefined && { pool }),
    ...(poolSize !== undefined && { concurrency: poolSize }),
    ...(autoscale !== undefined && { autoscale }),
    ...(prefetchCount !== undefined && { prefetch: prefetchCount }),
    ...(reading.rssBytes !== undefined && { maxRssBytes: reading.rssBytes }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
    ...(uptimeSeconds !== undefined && { uptimeMs: uptimeSeconds * 1000 }),
    inspectedMs: inspection.timestampMs,
  };
}

/** Picks the members by hand: what the history adds to its rows is not thereby published. */
export function toApiTaskEvent(event: TaskEventRecord) {
  const { type, worker, timestampMs, receivedMs, clock, attempt, fields } = event;
  return { type, worker, timestampMs, receivedMs, clock, attempt, fields };
}

export function toApiWorkerEvent({ type, timestampMs, fields }: WorkerEventRecord) {
  return { type, timestampMs, fields };
}

export function toApiFailure(group: FailureGroup) {
  const { exceptionType, message, fingerprint, count, firstMs, lastMs, names, sampleTaskId, sampleTraceback } = group;
  return {
    exceptionType,
    message,
    fingerprint,
    count,
    firstMs,
    lastMs,
    names: [...names],
    sampleTaskId,
    sampleTraceback,
    trend: [...group.trend],
  };
}

/** Percentiles come from the history in seconds, as `TaskRecord.runtime`. */
export function toApiSeries(series: TimeSeries, columns: readonly string[]) {
  const isDuration = columns.map((column) => column.startsWith('p'));
  return {
    labels: series.labels,
    points: series.points.map(({ timeMs, values }) => ({
      timeMs,
      values: values.map((value, i) => (isDuration[i] === true ? toMs(value) : value)),
    })),
  };
}
