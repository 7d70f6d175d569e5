import type { WorkerInspection } from './service.ts';

/** What a worker told of itself, as plain numbers; undefined members it does not tell. */
export interface WorkerReading {
  /** Node name. */
  readonly worker: string;
  /** Queues it consumes. */
  readonly queues: readonly string[];
  /** Kind of its pool: prefork, threads, solo, gevent, eventlet, or the class path of another. */
  readonly pool?: string;
  /** Processes or threads of its pool; of greenlets the most there may be. */
  readonly poolSize?: number;
  /** Range it was given by --autoscale. */
  readonly autoscale?: { readonly min: number; readonly max: number };
  readonly prefetchCount?: number;
  /** Most resident memory of the worker's main process so far. */
  readonly rssBytes?: number;
  /** When it last answered, epoch ms. */
  readonly repliedMs?: number;
  /** User and system time of the worker's main process. */
  readonly cpuSeconds?: number;
  readonly uptimeSeconds?: number;
}

const KILOBYTE = 1024;

/**
 * Reads the answers to `stats` and `active_queues`, which are anything a worker may send. `system` is its `sw_sys`:
 * `maxrss` is in kilobytes, on macOS in bytes (getrusage(2)); Windows tells none.
 */
export function workerReading(worker: string, inspection: WorkerInspection, system: unknown): WorkerReading {
  const { stats = {}, active_queues = [] } = inspection;
  const rusage = record(stats['rusage']);
  const maxrss = number(rusage['maxrss']);
  const [utime, stime] = [number(rusage['utime']), number(rusage['stime'])];
  const told = record(stats['pool']);
  const [pool, poolSize] = [poolKind(told), poolSizeOf(told)];
  const autoscale = autoscaleOf(record(stats['autoscaler']));
  const uptimeSeconds = number(stats['uptime']);
  const prefetchCount = number(stats['prefetch_count']);
  const names = active_queues.map(({ name }) => name).filter((name) => typeof name === 'string');
  return {
    worker,
    queues: [...new Set(names)],
    ...(pool !== undefined && { pool }),
    ...(inspection.timestampMs > 0 && { repliedMs: inspection.timestampMs }),
    ...(poolSize !== undefined && { poolSize }),
    ...(autoscale !== undefined && { autoscale }),
    ...(prefetchCount !== undefined && { prefetchCount }),
    ...(maxrss !== undefined && { rssBytes: system === 'Darwin' ? maxrss : maxrss * KILOBYTE }),
    ...(utime !== undefined && stime !== undefined && { cpuSeconds: utime + stime }),
    ...(uptimeSeconds !== undefined && { uptimeSeconds }),
  };
}

/** Bytes of the answer to `memsample`, e.g. `54.84MB` (celery/utils/debug.py); undefined where psutil is missing. */
export function memsampleBytes(answer: unknown): number | undefined {
  const match = typeof answer === 'string' ? /^([\d.]+)\s*([KMGT]?)B?$/i.exec(answer.trim()) : null;
  if (match === null) return undefined;
  const [, digits = '', unit = ''] = match;
  const bytes = Number(digits) * KILOBYTE ** ' KMGT'.indexOf(unit === '' ? ' ' : unit.toUpperCase());
  return Number.isFinite(bytes) ? bytes : undefined;
}

/**
 * `celery.concurrency.prefork:TaskPool` (celery/concurrency/base.py `_get_info`). Before Celery 5.3 a pool does not say what
 * it is: its other members tell (`_get_info` of prefork.py, solo.py, thread.py, eventlet.py), and gevent has none.
 */
function poolKind(pool: Readonly<Record<string, unknown>>): string | undefined {
  const { implementation } = pool;
  if (typeof implementation === 'string' && implementation !== '') {
    const kind = /^celery\.concurrency\.(\w+):TaskPool$/.exec(implementation)?.[1];
    return kind === 'thread' ? 'threads' : (kind ?? implementation);
  }
  if ('writes' in pool) return 'prefork';
  if ('processes' in pool) return 'solo';
  if ('threads' in pool) return 'threads';
  return 'free-threads' in pool ? 'eventlet' : undefined;
}

/** celery/worker/autoscale.py `Autoscaler.info`: `max`, `min` and `qty`, the processes there are. */
function autoscaleOf(autoscaler: Readonly<Record<string, unknown>>): WorkerReading['autoscale'] {
  const [min, max] = [number(autoscaler['min']), number(autoscaler['max'])];
  return min === undefined || max === undefined ? undefined : { min, max };
}

/** The processes there are (prefork, solo), else the most there may be (threads, gevent), else free and busy (eventlet). */
function poolSizeOf(pool: Readonly<Record<string, unknown>>): number | undefined {
  const { processes } = pool;
  if (Array.isArray(processes) && processes.length > 0) return processes.length;
  const most = number(pool['max-concurrency']);
  if (most !== undefined) return most;
  const [free, running] = [number(pool['free-threads']), number(pool['running-threads'])];
  return free === undefined && running === undefined ? undefined : (free ?? 0) + (running ?? 0);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
