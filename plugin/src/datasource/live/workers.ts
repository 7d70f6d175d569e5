import type { LiveWorker, Worker } from '../../shared/api';

/** The workers after what the stream told; a new one is told with what is known of it so far. */
export function applyWorkerMessages(workers: readonly Worker[], messages: readonly LiveWorker[]): readonly Worker[] {
  if (messages.length === 0) {
    return workers;
  }
  const rows = new Map(workers.map((worker) => [worker.hostname, worker]));
  for (const { worker: hostname, online, timestampMs, pid, active, processed, loadavg, type } of messages) {
    const known = rows.get(hostname) ?? newcomer(hostname, timestampMs);
    rows.set(hostname, {
      ...known,
      online,
      lastHeartbeatMs:
        type === 'worker-lost' ? known.lastHeartbeatMs : Math.max(known.lastHeartbeatMs ?? 0, timestampMs),
      pid: pid ?? known.pid,
      active: active ?? known.active,
      processed: processed ?? known.processed,
      loadavg: loadavg ?? known.loadavg,
    });
  }
  return [...rows.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
}

function newcomer(hostname: string, firstSeenMs: number): Worker {
  return {
    ...{ hostname, firstSeenMs, online: true, lastHeartbeatMs: null, pid: null, heartbeatEveryMs: null },
    ...{
      active: null,
      processed: null,
      loadavg: null,
      software: null,
      softwareVersion: null,
      system: null,
      clock: null,
    },
  };
}
