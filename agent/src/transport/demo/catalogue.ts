import type { PythonValue } from './python.ts';
import type { Random } from './random.ts';

/** One kind of task of the demo's web shop. */
export interface TaskKind {
  readonly name: string;
  readonly queue: string;
  /** How often it is sent on its own, against the others; 0 for steps of workflows. */
  readonly weight: number;
  /** Median seconds, and how far the tail goes (sigma of a log-normal). */
  readonly seconds: number;
  readonly spread: number;
  /** Probability that an attempt fails on a quiet day. */
  readonly failure: number;
  readonly maxRetries: number;
  /** Seconds for which it may be put off on purpose. */
  readonly countdown?: number;
  /** Sends `task-progress` events while it runs. */
  readonly reportsProgress?: boolean;
  /** No worker has such a task: somebody published a name that does not exist. */
  readonly isUnknown?: boolean;
  readonly exceptions: readonly [string, ...string[]];
  args(random: Random): PythonValue[];
  kwargs(random: Random): Record<string, PythonValue>;
  result(random: Random): PythonValue;
}

const FIRST_NAMES = ['ada', 'grace', 'linus', 'margaret', 'alan', 'edsger', 'barbara', 'donald'] as const;
const user = (random: Random): string => `${random.pick(FIRST_NAMES)}.${random.integer(10, 99)}@example.com`;
const order = (random: Random): number => random.integer(100_000, 999_999);
const none = (): Record<string, PythonValue> => ({});

export const TASK_KINDS: readonly TaskKind[] = [
  {
    name: 'shop.mail.send_receipt',
    queue: 'mail',
    weight: 26,
    seconds: 0.35,
    spread: 0.5,
    failure: 0.01,
    maxRetries: 3,
    exceptions: ["SMTPServerDisconnected('Connection unexpectedly closed')", "TimeoutError('timed out')"],
    args: (random) => [user(random), order(random)],
    kwargs: (random) => ({
      template: random.pick(['receipt', 'receipt_b2b']),
      locale: random.pick(['en', 'de', 'fr']),
    }),
    result: (random) => ({ message_id: `<${random.hex(12)}@mail.example.com>`, accepted: true }),
  },
  {
    name: 'shop.mail.send_newsletter',
    queue: 'mail',
    weight: 8,
    seconds: 0.8,
    spread: 0.6,
    failure: 0.015,
    maxRetries: 2,
    countdown: 20,
    exceptions: ["SMTPRecipientsRefused('550 mailbox unavailable')"],
    args: (random) => [user(random)],
    kwargs: (random) => ({ campaign: random.pick(['spring-sale', 'weekly-42', 'we-miss-you']) }),
    result: () => true,
  },
  {
    name: 'shop.payments.capture',
    queue: 'payments',
    weight: 18,
    seconds: 0.9,
    spread: 0.45,
    failure: 0.02,
    maxRetries: 3,
    exceptions: [
      "CardDeclined('insufficient funds')",
      "GatewayTimeout('no answer from acquirer after 10 s')",
      "ConnectionResetError(104, 'Connection reset by peer')",
    ],
    args: (random) => [order(random)],
    kwargs: (random) => ({ amount: random.integer(500, 25_000) / 100, currency: random.pick(['EUR', 'USD', 'GBP']) }),
    result: (random) => ({ status: 'captured', transaction: `tx_${random.hex(16)}` }),
  },
  {
    name: 'shop.payments.refund',
    queue: 'payments',
    weight: 3,
    seconds: 1.4,
    spread: 0.4,
    failure: 0.04,
    maxRetries: 1,
    exceptions: ["AlreadyRefunded('transaction was refunded before')"],
    args: (random) => [order(random)],
    kwargs: (random) => ({ reason: random.pick(['returned', 'damaged', "customer's wish"]) }),
    result: () => ({ status: 'refunded' }),
  },
  {
    name: 'shop.search.index_product',
    queue: 'default',
    weight: 22,
    seconds: 0.12,
    spread: 0.7,
    failure: 0.003,
    maxRetries: 5,
    exceptions: ["TransportError(503, 'cluster_block_exception')"],
    args: (random) => [random.integer(1, 40_000)],
    kwargs: none,
    result: () => null,
  },
  {
    name: 'shop.stock.sync_warehouse',
    queue: 'default',
    weight: 4,
    seconds: 4,
    spread: 0.5,
    failure: 0.03,
    maxRetries: 2,
    exceptions: ["KeyError('sku')", "HTTPError('502 Server Error: Bad Gateway')"],
    args: (random) => [random.pick(['rotterdam', 'leipzig', 'lyon'])],
    kwargs: (random) => ({ full: random.chance(0.1) }),
    result: (random) => ({ updated: random.integer(0, 900), skipped: random.integer(0, 20) }),
  },
  {
    name: 'shop.images.resize',
    queue: 'images',
    weight: 5,
    seconds: 1.8,
    spread: 0.6,
    failure: 0.01,
    maxRetries: 0,
    exceptions: ["UnidentifiedImageError('cannot identify image file')", 'MemoryError()'],
    args: (random) => [`products/${random.integer(1, 40_000)}.jpg`],
    kwargs: (random) => ({ width: random.pick([320, 640, 1280]), format: 'webp' }),
    result: (random) => `cdn/${random.hex(10)}.webp`,
  },
  {
    name: 'shop.images.publish_gallery',
    queue: 'images',
    weight: 0,
    seconds: 0.6,
    spread: 0.3,
    failure: 0.005,
    maxRetries: 0,
    exceptions: ["FileNotFoundError(2, 'No such file or directory')"],
    args: (random) => [[`cdn/${random.hex(10)}.webp`, `cdn/${random.hex(10)}.webp`]],
    kwargs: (random) => ({ product: random.integer(1, 40_000) }),
    result: (random) => ({ gallery: random.integer(1, 9000) }),
  },
  {
    name: 'shop.reports.daily_sales',
    queue: 'reports',
    weight: 2,
    seconds: 9,
    spread: 0.4,
    failure: 0.03,
    maxRetries: 0,
    reportsProgress: true,
    exceptions: ["OperationalError('canceling statement due to statement timeout')"],
    args: (random) => [`2026-0${random.integer(1, 9)}-${random.integer(10, 28)}`],
    kwargs: (random) => ({ country: random.pick(['NL', 'DE', 'FR', 'GB']) }),
    result: (random) => ({ rows: random.integer(800, 40_000), file: `reports/${random.hex(8)}.parquet` }),
  },
  {
    name: 'shop.reports.aggregate_region',
    queue: 'reports',
    weight: 0,
    seconds: 3,
    spread: 0.4,
    failure: 0.015,
    maxRetries: 1,
    exceptions: ["OperationalError('deadlock detected')"],
    args: (random) => [random.pick(['north', 'south', 'east', 'west'])],
    kwargs: none,
    result: (random) => random.integer(1000, 90_000),
  },
  {
    name: 'shop.reports.merge',
    queue: 'reports',
    weight: 0,
    seconds: 2,
    spread: 0.3,
    failure: 0.01,
    maxRetries: 0,
    exceptions: ["ValueError('regions do not add up')"],
    args: (random) => [[random.integer(1000, 9000), random.integer(1000, 9000), random.integer(1000, 9000)]],
    kwargs: none,
    result: (random) => ({ total: random.integer(9000, 90_000) }),
  },
  {
    name: 'shop.orders.ship',
    queue: 'default',
    weight: 0,
    seconds: 0.7,
    spread: 0.5,
    failure: 0.01,
    maxRetries: 2,
    exceptions: ["CarrierError('label service is down')"],
    args: (random) => [order(random)],
    kwargs: (random) => ({ carrier: random.pick(['dhl', 'ups', 'postnl']) }),
    result: (random) => ({ tracking: random.hex(14).toUpperCase() }),
  },
  {
    name: 'shop.images.import_product',
    queue: 'images',
    weight: 0,
    seconds: 0.4,
    spread: 0.3,
    failure: 0.005,
    maxRetries: 0,
    exceptions: ["ConnectionError('image source is unreachable')"],
    args: (random) => [random.integer(1, 40_000)],
    kwargs: none,
    result: (random) => ({ group: random.uuid() }),
  },
  {
    name: 'shop.reports.weekly_regions',
    queue: 'reports',
    weight: 0,
    seconds: 0.3,
    spread: 0.3,
    failure: 0.005,
    maxRetries: 0,
    exceptions: ["ValueError('week is not over')"],
    args: (random) => [random.integer(1, 52)],
    kwargs: none,
    result: (random) => ({ group: random.uuid() }),
  },
  {
    name: 'shop.search.reindex_category',
    queue: 'default',
    weight: 0,
    seconds: 0.2,
    spread: 0.3,
    failure: 0.005,
    maxRetries: 0,
    exceptions: ["KeyError('category')"],
    args: (random) => [random.pick(['lamps', 'chairs', 'desks', 'rugs'])],
    kwargs: none,
    result: (random) => ({ group: random.uuid() }),
  },
];

/** The names that every worker of the demo has registered. */
export const REGISTERED: readonly string[] = TASK_KINDS.map(({ name }) => name).sort();

/** A kind by its name, as a worker looks it up; without an entry, one that cannot run. */
export function kindOrUnknown(name: string): TaskKind {
  const known = TASK_KINDS.find((kind) => kind.name === name);
  return known ?? { ...kindNamed('shop.search.index_product'), name, isUnknown: true };
}

export function kindNamed(name: string): TaskKind {
  const kind = TASK_KINDS.find((candidate) => candidate.name === name);
  if (kind === undefined) throw new Error(`no task kind ${name}`);
  return kind;
}

/** Stages one after the other; the tasks of a stage run side by side: a chain, and chords or groups of one parent. */
export const WORKFLOWS: readonly [string[][], ...string[][][]] = [
  [['shop.payments.capture'], ['shop.orders.ship'], ['shop.mail.send_receipt']],
  [['shop.images.import_product'], repeat('shop.images.resize', 3), ['shop.images.publish_gallery']],
  [['shop.reports.weekly_regions'], repeat('shop.reports.aggregate_region', 4), ['shop.reports.merge']],
  [['shop.search.reindex_category'], repeat('shop.search.index_product', 3)],
];

function repeat(name: string, times: number): string[] {
  return Array.from({ length: times }, () => name);
}

export interface WorkerPlan {
  readonly hostname: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
}

export const WORKERS: readonly WorkerPlan[] = [
  { hostname: 'celery@web-1', queues: ['default', 'mail'], concurrency: 4 },
  { hostname: 'celery@web-2', queues: ['default', 'mail'], concurrency: 4 },
  { hostname: 'payments@pay-1', queues: ['payments'], concurrency: 4 },
  { hostname: 'heavy@batch-1', queues: ['reports', 'images'], concurrency: 4 },
  { hostname: 'heavy@batch-2', queues: ['reports', 'images'], concurrency: 4 },
];
