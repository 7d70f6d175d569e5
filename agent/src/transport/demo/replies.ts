import type { DemoTask, DemoWorker } from './model.ts';
import { queueOf } from './model.ts';

/** A task as `inspect active` and its kin show it (celery/worker/request.py `Request.info`). */
export function requestInfo(worker: DemoWorker, task: DemoTask): Record<string, unknown> {
  const isActive = worker.active.has(task);
  return {
    id: task.id,
    name: task.kind.name,
    args: JSON.parse(task.argsJson) as unknown,
    kwargs: JSON.parse(task.kwargsJson) as unknown,
    type: task.kind.name,
    hostname: worker.hostname,
    time_start: isActive && task.startedMs !== undefined ? task.startedMs / 1000 : null,
    acknowledged: isActive,
    delivery_info: { exchange: '', routing_key: queueOf(task), priority: 0, redelivered: false },
    worker_pid: isActive ? worker.child.pid : null,
  };
}

/** `inspect scheduled`. */
export function scheduledReply(worker: DemoWorker): unknown[] {
  return [...worker.scheduled].map((task) => ({
    eta: task.etaMs === undefined ? null : new Date(task.etaMs).toISOString().replace('Z', '000+00:00'),
    priority: 6,
    request: requestInfo(worker, task),
  }));
}

/** `inspect query_task`: ids that the worker does not have are absent. */
export function queryReply(worker: DemoWorker, ids: readonly string[]): Record<string, unknown> {
  const groups: [string, Iterable<DemoTask>][] = [
    ['active', worker.active],
    ['reserved', worker.reserved],
    ['scheduled', worker.scheduled],
  ];
  const found = groups.flatMap(([state, tasks]) =>
    [...tasks]
      .filter(({ id }) => ids.includes(id))
      .map((task) => [task.id, [state, requestInfo(worker, task)]] as const),
  );
  return Object.fromEntries(found);
}

/** `inspect stats` of a prefork worker of Celery 5.7 on Redis. */
export function statsReply(worker: DemoWorker, nowMs: number): Record<string, unknown> {
  const seconds = (nowMs - worker.startedMs) / 1000;
  const processes = Array.from({ length: worker.concurrency }, (_, index) => worker.child.pid + index);
  return {
    total: Object.fromEntries(worker.totals),
    pid: worker.pid,
    clock: String(worker.clock),
    uptime: Math.round(seconds),
    pool: {
      implementation: 'celery.concurrency.prefork:TaskPool',
      'max-concurrency': worker.concurrency,
      processes,
      'max-tasks-per-child': 'N/A',
      'put-guarded-by-semaphore': false,
      timeouts: [0, 0],
      writes: {
        total: worker.processed,
        avg: '1.00',
        all: '',
        raw: '',
        strategy: 'fair',
        inqueues: { total: worker.concurrency, active: worker.active.size },
      },
    },
    broker: {
      hostname: 'broker.example.com',
      userid: null,
      virtual_host: '0',
      port: 6379,
      insist: false,
      ssl: false,
      transport: 'redis',
      connect_timeout: 4,
      transport_options: {},
      login_method: null,
      uri_prefix: null,
      heartbeat: 120,
      failover_strategy: 'round-robin',
      alternates: [],
    },
    prefetch_count: worker.concurrency * 2,
    rusage: {
      utime: Math.round(seconds * 12 + worker.processed * 4) / 1000,
      stime: Math.round(seconds * 3 + worker.processed) / 1000,
      maxrss: memoryKiB(worker),
      ixrss: 0,
      idrss: 0,
      isrss: 0,
      minflt: 19_129 + worker.processed,
      majflt: 4,
      nswap: 0,
      inblock: 3968,
      oublock: 32,
      msgsnd: 0,
      msgrcv: 0,
      nsignals: 0,
      nvcsw: 212 + worker.processed,
      nivcsw: 333,
    },
  };
}

function memoryKiB(worker: DemoWorker): number {
  return 55_052 + (worker.pid % 97) * 40 + Math.min(worker.processed, 20_000);
}

/** `inspect memsample`. */
export function memoryReply(worker: DemoWorker): string {
  return `${(memoryKiB(worker) / 1024).toFixed(2)}MB`;
}

/** `inspect active_queues`: queues bound to an exchange of their own name. */
export function queuesReply(worker: DemoWorker): unknown[] {
  return [...worker.queues].map((name) => ({
    name,
    exchange: {
      name,
      type: 'direct',
      arguments: null,
      durable: true,
      passive: false,
      auto_delete: false,
      delivery_mode: null,
      no_declare: false,
    },
    routing_key: name,
    queue_arguments: null,
    binding_arguments: null,
    consumer_arguments: null,
    durable: true,
    exclusive: false,
    auto_delete: false,
    no_ack: false,
    alias: null,
    bindings: [],
    no_declare: null,
    expires: null,
    message_ttl: null,
    max_length: null,
    max_length_bytes: null,
    max_priority: null,
  }));
}

/** `inspect conf`. */
export function confReply(): Record<string, unknown> {
  return {
    broker_url: 'redis://:********@broker.example.com:6379/0',
    result_backend: 'redis://:********@broker.example.com:6379/1',
    task_default_queue: 'default',
    task_acks_late: true,
    task_send_sent_event: true,
    task_track_started: true,
    worker_prefetch_multiplier: 2,
    worker_send_task_events: true,
    timezone: 'UTC',
    include: ['shop.mail', 'shop.payments', 'shop.orders', 'shop.images', 'shop.reports', 'shop.search'],
  };
}

/** `inspect report` (celery/app/utils.py `bugreport`). */
export const REPORT = [
  '',
  'software -> celery:5.7.0 (collider) kombu:5.7.0 py:3.12.4',
  '            billiard:4.3.2 redis:8.1.0',
  'platform -> system:Linux arch:64bit, ELF',
  '            kernel version:6.8.0 imp:CPython',
  'loader   -> celery.loaders.app.AppLoader',
  'settings -> transport:redis results:redis://:********@broker.example.com:6379/1',
  '',
].join('\n');
