import { DEFAULT_MASK_KEYS } from '../core/mask/mask.ts';
import { type Slice, WHOLE } from '../core/events/slice.ts';
import { option, type Option } from './option.ts';
import { ACCESS as access, HTTP_SECURITY } from './options-access.ts';
import { OTLP as otlp } from './options-otlp.ts';
import { days, duration, flag, matching, oneOf, optional, size, text, whole } from './value-types.ts';
import { slice } from './value-types-slice.ts';
import { buckets, jsonObject, labels, steps, switchOrObject, switchOrText, words } from './value-types-lists.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** prometheus_client's default, which Flower and celery-exporter share; seconds. */
const RUNTIME_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** celery-exporter's default for the time in the queue; seconds. */
const QUEUE_WAIT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

const ADDRESS = /^(?:[A-Za-z0-9]|::)[A-Za-z0-9.:_-]*$/;
const POSTGRES_URL = /^postgres(?:ql)?:\/\/\S+$/;

const transportPart = (key: string) => ({ option: 'broker-transport-options', keys: [key] });
const resultPart = (key: string) => ({ option: 'result-backend-transport-options', keys: [key] });
const sslPart = (...keys: string[]) => ({ option: 'broker-use-ssl', keys });

const broker = {
  url: option<string | undefined>({
    name: 'broker',
    short: 'b',
    aliases: ['broker-url'],
    env: ['UMBEL_BROKER_URL', 'CE_BROKER_URL', 'CELERY_BROKER_WRITE_URL', 'CELERY_BROKER_URL'],
    type: optional(text('URL')),
    default: undefined,
    defaultDoc: 'the demo cluster',
    hide: 'url',
    doc: "Celery's broker: redis://, rediss://, redis+socket://, sentinel://, amqp:// or amqps:// (RabbitMQ), several to fail over to between semicolons; demo:// is the simulated cluster.",
  }),
  resultBackend: option<string | undefined>({
    name: 'result-backend',
    env: ['CELERY_RESULT_BACKEND'],
    type: optional(text('URL')),
    default: undefined,
    hide: 'url',
    mayBeEmptyFile: true,
    doc: "Celery's result backend, to look up results and to retry with the real arguments: redis://, rediss://, socket://, sentinel:// or db+postgresql://; others cannot be read.",
  }),
  resultTransportOptions: option({
    name: 'result-backend-transport-options',
    type: jsonObject,
    default: undefined,
    hide: 'secret',
    doc: "Celery's result_backend_transport_options as JSON, or KEY=VALUE several times.",
  }),
  resultKeyPrefix: option({
    name: 'result-backend-key-prefix',
    type: text('PREFIX'),
    default: '',
    partOf: resultPart('global_keyprefix'),
    doc: 'Option global_keyprefix of the result backend: stands before its keys on Redis.',
  }),
  resultMasterName: option<string | undefined>({
    name: 'result-backend-master-name',
    type: optional(text('NAME')),
    default: undefined,
    partOf: resultPart('master_name'),
    doc: 'Option master_name of the result backend: required with sentinel://.',
  }),
  resultSentinelKwargs: option({
    name: 'result-backend-sentinel-kwargs',
    type: jsonObject,
    default: undefined,
    hide: 'secret',
    partOf: resultPart('sentinel_kwargs'),
    doc: 'Option sentinel_kwargs of the result backend: how to log in at the sentinels, e.g. {"password": "…"}.',
  }),
  resultTable: option({
    name: 'result-backend-table',
    type: text('NAME'),
    default: 'celery_taskmeta',
    doc: "Celery's setting database_table_names['task'].",
  }),
  resultSchema: option<string | undefined>({
    name: 'result-backend-schema',
    type: optional(text('NAME')),
    default: undefined,
    doc: "Celery's setting database_table_schemas['task'].",
  }),
  eventExchange: option({
    name: 'event-exchange',
    type: matching('NAME', /^\S+$/, 'a name without spaces'),
    default: 'celeryev',
    doc: "Celery's setting event_exchange.",
  }),
  controlExchange: option({
    name: 'control-exchange',
    type: matching('NAME', /^\S+$/, 'a name without spaces'),
    default: 'celery',
    doc: "Celery's setting control_exchange.",
  }),
  eventQueue: option<string | undefined>({
    name: 'event-queue',
    type: optional(
      matching('NAME', /^(?!amq\.)[^\s\0]{1,200}$/, 'a name without spaces that does not begin with amq.'),
    ),
    default: undefined,
    defaultDoc: 'umbel.events; umbel.EXCHANGE where --event-exchange names another',
    doc: 'Quorum queue on RabbitMQ in which events wait for the agent; agents of the same name share it, and one is active.',
  }),
  eventQueueMaxBytes: option({
    name: 'event-queue-max-bytes',
    type: size(MiB, 1024 * GiB),
    default: GiB,
    doc: 'Events that may wait in that queue while no agent reads; beyond this size the oldest are dropped, which is a gap.',
  }),
  eventQueueMaxAgeMs: option({
    name: 'event-queue-max-age',
    type: duration('s', MINUTE, 49 * DAY),
    default: 3 * DAY,
    doc: 'How long an event may wait in that queue; older ones are dropped, which is a gap.',
  }),
  prefetch: option({
    name: 'prefetch',
    type: whole(1, 65_535),
    default: 5000,
    doc: 'Messages that RabbitMQ delivers before those in front of them are stored.',
  }),
  brokerApi: option<string | undefined>({
    name: 'broker-api',
    env: ['FLOWER_BROKER_API'],
    type: optional(matching('URL', /^https?:\/\/\S+$/, 'a URL like http://user:password@host:15672/api/')),
    default: undefined,
    hide: 'url',
    doc: 'Management API of RabbitMQ, for the names, rates and unacknowledged messages of queues.',
  }),
  transportOptions: option({
    name: 'broker-transport-options',
    aliases: ['broker-transport-option'],
    env: ['CE_BROKER_TRANSPORT_OPTION'],
    type: jsonObject,
    default: undefined,
    hide: 'secret',
    doc: "Celery's broker_transport_options as JSON, or KEY=VALUE several times. The single options below win over it.",
  }),
  globalKeyprefix: option({
    name: 'global-keyprefix',
    type: text('PREFIX'),
    default: '',
    partOf: transportPart('global_keyprefix'),
    doc: 'Transport option global_keyprefix: stands before every key and channel on Redis.',
  }),
  fanoutPrefix: option<boolean | string>({
    name: 'fanout-prefix',
    type: switchOrText,
    default: true,
    partOf: transportPart('fanout_prefix'),
    doc: 'Transport option fanout_prefix: whether, or which, prefix stands before the event channels on Redis.',
  }),
  fanoutPatterns: option({
    name: 'fanout-patterns',
    type: flag,
    default: true,
    partOf: transportPart('fanout_patterns'),
    doc: 'Transport option fanout_patterns: whether channels on Redis end in the event type.',
  }),
  masterName: option<string | undefined>({
    name: 'master-name',
    type: optional(text('NAME')),
    default: undefined,
    partOf: transportPart('master_name'),
    doc: 'Transport option master_name: required with sentinel://.',
  }),
  sentinelKwargs: option({
    name: 'sentinel-kwargs',
    type: jsonObject,
    default: undefined,
    hide: 'secret',
    partOf: transportPart('sentinel_kwargs'),
    doc: 'Transport option sentinel_kwargs: how to log in at the sentinels, e.g. {"password": "…"}.',
  }),
  prioritySteps: option<readonly number[]>({
    name: 'priority-steps',
    type: steps,
    default: [0, 3, 6, 9],
    partOf: transportPart('priority_steps'),
    doc: 'Transport option priority_steps: which priorities have a list of their own on Redis.',
  }),
  sep: option({
    name: 'sep',
    type: text(),
    default: '\u0006\u0016',
    partOf: transportPart('sep'),
    doc: 'Transport option sep: stands between the queue and the priority in the name of a list on Redis.',
  }),
  useSsl: option({
    name: 'broker-use-ssl',
    aliases: ['broker-ssl-option'],
    env: ['CE_BROKER_SSL_OPTION'],
    type: switchOrObject,
    default: undefined,
    hide: 'secret',
    doc: "Celery's broker_use_ssl: true, its dictionary as JSON, or KEY=VALUE several times. The single options below win over it.",
  }),
  sslCertReqs: option<'required' | 'optional' | 'none' | undefined>({
    name: 'broker-ssl-cert-reqs',
    type: optional(
      oneOf(['required', 'optional', 'none'], {
        cert_required: 'required',
        cert_optional: 'optional',
        cert_none: 'none',
        '2': 'required',
        '1': 'optional',
        '0': 'none',
      }),
    ),
    default: undefined,
    defaultDoc: 'what the URL says',
    partOf: sslPart('ssl_cert_reqs', 'cert_reqs'),
    doc: "Whether the broker's certificate must be valid.",
  }),
  sslCaCerts: option<string | undefined>({
    name: 'broker-ssl-ca-certs',
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    partOf: sslPart('ssl_ca_certs', 'ca_certs'),
    doc: "Authorities that the broker's certificate may come from, PEM.",
  }),
  sslCertfile: option<string | undefined>({
    name: 'broker-ssl-certfile',
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    partOf: sslPart('ssl_certfile', 'certfile'),
    doc: 'Certificate to show to the broker, PEM.',
  }),
  sslKeyfile: option<string | undefined>({
    name: 'broker-ssl-keyfile',
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    partOf: sslPart('ssl_keyfile', 'keyfile'),
    doc: 'Private key of that certificate, PEM.',
  }),
  sslCheckHostname: option<boolean | undefined>({
    name: 'broker-ssl-check-hostname',
    type: optional(flag),
    default: undefined,
    defaultDoc: 'what the URL says',
    partOf: sslPart('ssl_check_hostname', 'check_hostname'),
    doc: "Whether the broker's certificate must name its host.",
  }),
};

const http = {
  port: option({
    name: 'port',
    env: ['FLOWER_PORT', 'CE_PORT'],
    type: whole(0, 65_535),
    default: 5555,
    doc: 'Port to listen on; 0 takes a free one.',
  }),
  address: option({
    name: 'address',
    aliases: ['host'],
    env: ['FLOWER_ADDRESS', 'CE_HOST'],
    type: matching('HOST', ADDRESS, 'an address like 127.0.0.1, or 0.0.0.0 for every interface'),
    default: '127.0.0.1',
    doc: 'Address to listen on. Any but loopback needs a sign-in (section Access), or --anonymous viewer.',
  }),
  urlPrefix: option({
    name: 'url-prefix',
    env: ['FLOWER_URL_PREFIX'],
    type: {
      ...matching('PATH', /^\/*[A-Za-z0-9._~/-]*$/, 'a path like /flower'),
      parse: (texts: readonly string[]) => prefix(texts.at(-1) ?? ''),
    },
    default: '',
    doc: 'Path under which the HTTP API answers, e.g. /flower.',
  }),
  maxConnections: option({
    name: 'max-connections',
    type: whole(10, 100_000),
    default: 1000,
    doc: 'Connections of clients at once; further ones are closed and counted.',
  }),
  maxLiveStreams: option({
    name: 'max-live-streams',
    type: whole(0, 10_000),
    default: 100,
    doc: 'Live streams (SSE and WebSocket) at once; further ones get 503.',
  }),
  ...HTTP_SECURITY,
};

/** One slash in front, none at the end; empty for the root. */
function prefix(given: string): string {
  const path = matching('PATH', /^\/*[A-Za-z0-9._~/-]*$/, 'a path like /flower').parse([given]);
  const parts = path.split('/').filter((part) => part !== '');
  return parts.length === 0 ? '' : `/${parts.join('/')}`;
}

const history = {
  enabled: option({
    name: 'history',
    type: flag,
    default: true,
    doc: 'Keep the history in Postgres; without it there are metrics and the live stream only.',
  }),
  databaseUrl: option<string | undefined>({
    name: 'database-url',
    type: optional(matching('URL', POSTGRES_URL, 'a URL like postgres://user:password@host:5432/database')),
    default: undefined,
    defaultDoc: 'an embedded Postgres in the data directory',
    hide: 'url',
    doc: 'Postgres that keeps the history.',
  }),
  dataDir: option({
    name: 'data-dir',
    type: matching('DIR', /^[^\0]+$/, 'a directory'),
    default: './data',
    doc: 'Where the embedded Postgres and events that wait for the database are kept.',
  }),
  retentionDays: option({
    name: 'retention-days',
    type: days(1, 36_500),
    default: 30,
    doc: 'How long tasks, events and workers are kept.',
  }),
  eventRetentionDays: option({
    name: 'event-retention-days',
    type: days(1, 36_500),
    default: 30,
    inherits: 'retention-days',
    defaultDoc: 'as --retention-days',
    doc: 'How long events are kept, when that is not as long as tasks.',
  }),
  taskRetentionDays: option({
    name: 'task-retention-days',
    type: days(1, 36_500),
    default: 30,
    inherits: 'retention-days',
    defaultDoc: 'as --retention-days',
    doc: 'How long tasks are kept, when that is not as long as events.',
  }),
  rollupRetentionDays: option({
    name: 'rollup-retention-days',
    type: days(1, 36_500),
    default: 400,
    doc: 'How long the counts by minute and hour and the gaps are kept; counts go by whole months.',
  }),
  auditRetentionDays: option({
    name: 'audit-retention-days',
    type: days(0, 36_500),
    default: 365,
    doc: 'How long the audit is kept; 0: for ever.',
  }),
  statementTimeoutMs: option({
    name: 'statement-timeout',
    type: duration('s', 1000, HOUR),
    default: MINUTE,
    doc: 'Longest time that one statement may take in Postgres.',
  }),
  maxConnections: option({
    name: 'database-connections',
    type: whole(2, 100),
    default: 8,
    doc: 'Connections to Postgres at most: up to four write, the others read.',
  }),
};

const privacy = {
  mask: option({
    name: 'mask',
    type: flag,
    default: true,
    doc: 'Mask values that look like secrets in arguments, results and events before anything is stored or shown.',
  }),
  maskKeys: option<readonly string[]>({
    name: 'mask-keys',
    type: words,
    default: DEFAULT_MASK_KEYS,
    defaultDoc: 'password, token, secret, api_key, …',
    doc: 'Names whose values are masked, as words: api_key also means X-Api-Key and stripeApiKey. Replaces the default list.',
  }),
};

const limits = {
  openTasks: option({
    name: 'max-open-tasks',
    type: whole(100, 10_000_000),
    default: 20_000,
    doc: 'Unfinished tasks held in memory; others are read from the history when they are needed.',
  }),
  finishedTasks: option({
    name: 'max-finished-tasks',
    type: whole(0, 10_000_000),
    default: 2000,
    doc: 'Finished tasks held in memory for late events.',
  }),
  workers: option({
    name: 'max-workers',
    env: ['FLOWER_MAX_WORKERS'],
    type: whole(1, 1_000_000),
    default: 5000,
    doc: 'Workers held in memory.',
  }),
  bufferMemoryBytes: option({
    name: 'buffer-memory',
    type: size(MiB, 64 * GiB),
    default: 32 * MiB,
    doc: 'Events waiting for their turn are held in memory up to this size, then in files.',
  }),
  bufferDiskBytes: option({
    name: 'buffer-disk',
    type: size(0, 1024 * GiB),
    default: 4 * GiB,
    doc: 'Events waiting in files of the data directory; beyond this size new ones are dropped, counted and logged.',
  }),
  textLength: option({
    name: 'max-text-length',
    type: whole(100, 10_000_000),
    default: 65_536,
    doc: 'Characters kept of each of args, kwargs, result and exception; longer ones are cut with a mark.',
  }),
  tracebackLength: option({
    name: 'max-traceback-length',
    type: whole(100, 10_000_000),
    default: 262_144,
    doc: 'Characters kept of a traceback, from its end.',
  }),
};

const healing = {
  enabled: option({
    name: 'heal',
    type: flag,
    default: true,
    doc: 'Find out what became of tasks whose events were not heard, from the result backend, the workers and the queues.',
  }),
  everyMs: option({
    name: 'heal-interval',
    type: duration('s', 1000, DAY),
    default: 30_000,
    doc: 'How often open tasks are looked at; besides, after every time in which the agent could not listen.',
  }),
  orphanAfterMs: option({
    name: 'orphan-after',
    type: duration('s', 1000, 30 * DAY),
    default: MINUTE,
    doc: 'How long a worker must be silent until the tasks it had, and nobody else has, are orphaned.',
  }),
  tasksPerRun: option({
    name: 'heal-tasks',
    type: whole(1, 1_000_000),
    default: 10_000,
    doc: 'The most open tasks that are looked at in one run; the next run goes on.',
  }),
  resultsPerRun: option({
    name: 'heal-results',
    type: whole(0, 100_000_000),
    default: 100_000,
    doc: 'The most stored results that one run after a gap looks through for tasks that were never heard of; the next run goes on; 0: none.',
  }),
};

const metrics = {
  flower: option({ name: 'metrics-flower', type: flag, default: true, doc: "Serve Flower's metric families." }),
  exporter: option({
    name: 'metrics-exporter',
    type: flag,
    default: true,
    doc: "Serve celery-exporter's metric families.",
  }),
  prefix: option({
    name: 'metric-prefix',
    env: ['CE_METRIC_PREFIX'],
    type: matching('PREFIX', /^(?:[A-Za-z_:][A-Za-z0-9_:]*)?$/, 'letters, digits and _, like celery_'),
    default: 'celery_',
    doc: "Replaces celery_ in the names of celery-exporter's families.",
  }),
  staticLabels: option({
    name: 'static-label',
    aliases: ['static-labels'],
    env: ['UMBEL_STATIC_LABELS', 'CE_STATIC_LABEL'],
    type: labels,
    default: {},
    doc: 'Label that every family carries; may be given several times.',
  }),
  runtimeBuckets: option<readonly number[]>({
    name: 'runtime-buckets',
    type: buckets,
    default: RUNTIME_BUCKETS,
    doc: 'Buckets of the runtime histograms of both sets, seconds.',
  }),
  flowerRuntimeBuckets: option<readonly number[]>({
    name: 'task-runtime-metric-buckets',
    env: ['FLOWER_TASK_RUNTIME_METRIC_BUCKETS'],
    type: buckets,
    default: RUNTIME_BUCKETS,
    defaultDoc: '--runtime-buckets',
    inherits: 'runtime-buckets',
    doc: 'Buckets of flower_task_runtime_seconds only.',
  }),
  exporterRuntimeBuckets: option<readonly number[]>({
    name: 'buckets',
    env: ['CE_BUCKETS'],
    type: buckets,
    default: RUNTIME_BUCKETS,
    defaultDoc: '--runtime-buckets',
    inherits: 'runtime-buckets',
    doc: 'Buckets of celery_task_runtime only.',
  }),
  queueWaitBuckets: option<readonly number[]>({
    name: 'queue-wait-buckets',
    env: ['CE_QUEUE_WAIT_BUCKETS'],
    type: buckets,
    default: QUEUE_WAIT_BUCKETS,
    doc: 'Buckets of the time between sending and start, seconds.',
  }),
  workerTimeoutMs: option({
    name: 'worker-timeout',
    env: ['CE_WORKER_TIMEOUT'],
    type: duration('s', 0, 365 * DAY),
    default: 5 * MINUTE,
    doc: 'A worker without heartbeat for this long counts as down; 0 never.',
  }),
  purgeMs: option({
    name: 'purge-offline-workers',
    aliases: ['purge-offline-worker-metrics'],
    env: ['FLOWER_PURGE_OFFLINE_WORKERS', 'CE_PURGE_OFFLINE_WORKER_METRICS'],
    type: duration('s', 0, 365 * DAY),
    default: HOUR,
    doc: 'Series of a worker without heartbeat for this long are removed; 0 never.',
  }),
  idleMs: option({
    name: 'series-idle-timeout',
    type: duration('s', 0, 365 * DAY),
    default: 8 * DAY,
    doc: 'Series of a task that nothing added to for this long are removed; the default outlasts a weekly schedule. 0 never.',
  }),
  genericHostnameSent: option({
    name: 'generic-hostname-task-sent-metric',
    env: ['CE_GENERIC_HOSTNAME_TASK_SENT_METRIC'],
    type: flag,
    default: false,
    doc: 'hostname="generic" in celery_task_sent_total.',
  }),
  genericHostnameWorker: option({
    name: 'generic-hostname-worker-task-metric',
    env: ['CE_GENERIC_HOSTNAME_WORKER_TASK_METRIC'],
    type: flag,
    default: false,
    doc: 'hostname="generic" in every celery_task_* family of worker events.',
  }),
  producerLabel: option<'exact' | 'host' | 'generic'>({
    name: 'producer-label',
    type: oneOf(['exact', 'host', 'generic']),
    default: 'exact',
    doc: "Label worker of task-sent in flower_events_total: the producer's node name (gen123@host), its host, or generic.",
  }),
  defaultQueue: option({
    name: 'default-queue-name',
    aliases: ['default-queue'],
    env: ['CE_DEFAULT_QUEUE_NAME'],
    type: matching('NAME', /^[^\0]+$/, 'the name of a queue'),
    default: 'celery',
    doc: "Queue of tasks that no event told the queue of; Celery's setting task_default_queue.",
  }),
  queues: option({
    name: 'queues',
    short: 'Q',
    env: ['CE_QUEUES'],
    type: words,
    default: [],
    doc: 'Queues to show always, also while nobody consumes them.',
  }),
  probeIntervalMs: option({
    name: 'probe-interval',
    type: duration('s', 1000, HOUR),
    default: 15_000,
    doc: 'How often the broker is asked for its queues and the workers for their state, for the metrics.',
  }),
  histogramWorkerLabel: option({
    name: 'histogram-worker-label',
    type: flag,
    default: true,
    doc: 'Tell workers apart in histograms; without it three in four series are saved.',
  }),
  createdSeries: option({
    name: 'created-series',
    type: flag,
    default: false,
    doc: "Serve the client libraries' …_created series too.",
  }),
  maxLabelSets: option({
    name: 'max-series',
    aliases: ['series-cap'],
    type: whole(10, 10_000_000),
    default: 20_000,
    doc: 'Label sets of a family; further ones are counted under "other".',
  }),
  maxEventTypes: option({
    name: 'max-event-types',
    type: whole(10, 100_000),
    default: 200,
    doc: 'Custom event types told apart in metrics; further ones are counted under "other".',
  }),
  maxExceptions: option({
    name: 'max-exceptions',
    type: whole(1, 100_000),
    default: 50,
    doc: 'Exception classes of a task told apart in metrics; further ones are counted under "other".',
  }),
};

const agent = {
  name: option<string>({
    name: 'agent-name',
    type: matching('NAME', /^\S{1,200}$/, 'a name without spaces'),
    default: 'umbel',
    defaultDoc: "the machine's host name",
    doc: 'Name of this agent among its replicas; it marks the gaps in listening.',
  }),
  slice: option<Slice>({
    name: 'slice',
    type: slice,
    default: WHOLE,
    doc: 'On Redis: the part of the tasks that this agent counts and stores, for a stream that one agent cannot follow; every part needs an agent.',
  }),
  logLevel: option<'debug' | 'info' | 'warn' | 'error' | 'silent'>({
    name: 'log-level',
    aliases: ['logging'],
    env: ['FLOWER_LOGGING', 'CE_LOG_LEVEL'],
    type: oneOf(['debug', 'info', 'warn', 'error', 'silent'], {
      warning: 'warn',
      critical: 'error',
      fatal: 'error',
      trace: 'debug',
      notset: 'debug',
      none: 'silent',
    }),
    default: 'info',
    doc: 'What to log.',
  }),
  logFormat: option<'auto' | 'pretty' | 'json'>({
    name: 'log-format',
    type: oneOf(['auto', 'pretty', 'json']),
    default: 'auto',
    doc: 'auto is pretty on a terminal, JSON otherwise.',
  }),
};

const control = {
  inspectTimeoutMs: option({
    name: 'inspect-timeout',
    env: ['FLOWER_INSPECT_TIMEOUT'],
    type: duration('ms', 10, 10 * MINUTE),
    default: 1000,
    doc: 'Longest wait for the answers of workers; it ends sooner when all that are online have answered.',
  }),
  enableEvents: option({
    name: 'enable-events',
    env: ['FLOWER_ENABLE_EVENTS'],
    type: flag,
    default: true,
    doc: 'Switch task events on every 5 seconds at workers that were started without -E.',
  }),
};

/** Every setting, by section. `Config` and the documentation follow from it. */
export const OPTIONS = { broker, http, access, history, healing, privacy, limits, metrics, otlp, control, agent };

export type OptionTable = typeof OPTIONS;

/** Headings of the sections. */
export const SECTION_TITLES: Readonly<Record<keyof OptionTable, string>> = {
  broker: 'Broker',
  http: 'HTTP',
  access: 'Access',
  history: 'History',
  healing: 'Healing',
  privacy: 'Privacy',
  limits: 'Limits',
  metrics: 'Metrics',
  otlp: 'Traces and logs',
  control: 'Remote control',
  agent: 'Agent',
};

/** An option with its place in the config. */
export interface PlacedOption {
  readonly section: keyof OptionTable;
  readonly key: string;
  readonly option: Option<unknown>;
}

/** Every option in the order of the table. */
export const ALL_OPTIONS: readonly PlacedOption[] = (Object.keys(OPTIONS) as (keyof OptionTable)[]).flatMap((section) =>
  Object.entries(OPTIONS[section]).map(([key, definition]) => ({
    section,
    key,
    option: definition as Option<unknown>,
  })),
);
