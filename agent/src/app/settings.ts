import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerTls } from '../config/broker-tls.ts';
import type { Config } from '../config/config.ts';
import type { MetricsOptions } from '../sinks/metrics/options.ts';
import type { OtlpOptions } from '../sinks/otlp/options.ts';
import type { AmqpTransportOptions } from '../transport/amqp/transport.ts';
import type { RedisTransportOptions } from '../transport/redis/transport.ts';
import type { HistoryOptions } from './history.ts';

/** Of the package this code was built from. */
export function agentVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function metricsOptions({ metrics }: Config, version: string): Partial<MetricsOptions> {
  return {
    version,
    flowerSet: metrics.flower,
    exporterSet: metrics.exporter,
    prefix: metrics.prefix,
    staticLabels: metrics.staticLabels,
    defaultQueue: metrics.defaultQueue,
    runtimeBuckets: metrics.flowerRuntimeBuckets,
    exporterRuntimeBuckets: metrics.exporterRuntimeBuckets,
    queueWaitBuckets: metrics.queueWaitBuckets,
    workerTimeoutMs: metrics.workerTimeoutMs,
    purgeOfflineMs: metrics.purgeMs,
    idleExpiryMs: metrics.idleMs,
    producerLabel: metrics.producerLabel,
    genericHostnameSent: metrics.genericHostnameSent,
    genericHostnameWorker: metrics.genericHostnameWorker,
    histogramWorkerLabel: metrics.histogramWorkerLabel,
    maxLabelSetsPerFamily: metrics.maxLabelSets,
    maxCustomTypes: metrics.maxEventTypes,
    maxExceptionsPerTask: metrics.maxExceptions,
    queues: metrics.queues,
    probeStaleMs: 3 * metrics.probeIntervalMs,
    createdSeries: metrics.createdSeries,
  };
}

export function historyOptions({ agent, history, limits }: Config, databaseUrl: string): HistoryOptions {
  return {
    databaseUrl,
    agentName: agent.name,
    spillDirectory: join(history.dataDir, 'spill', 'history'),
    // Too little would put events into files that have just been decoded; the intake's files cost less.
    memoryBytes: limits.bufferMemoryBytes * (3 / 4),
    diskBytes: limits.bufferDiskBytes,
    eventDays: history.eventRetentionDays,
    taskDays: history.taskRetentionDays,
    rollupDays: history.rollupRetentionDays,
    statementTimeoutMs: history.statementTimeoutMs,
    maxConnections: history.maxConnections,
    limits: { value: limits.textLength, traceback: limits.tracebackLength },
  };
}

/** Undefined: nobody is to be told by OTLP. */
export function otlpOptions({ otlp, limits }: Config, version: string): OtlpOptions | undefined {
  const base = otlp.endpoint?.replace(/\/+$/, '');
  const urlOf = (whole: string | undefined, path: string): string | undefined => {
    if (whole === 'none') return undefined;
    return whole ?? (base === undefined ? undefined : `${base}${path}`);
  };
  const tracesUrl = urlOf(otlp.tracesEndpoint, '/v1/traces');
  const logsUrl = urlOf(otlp.logsEndpoint, '/v1/logs');
  if (tracesUrl === undefined && logsUrl === undefined) return undefined;
  const { 'service.name': attributed = 'celery', ...attributes } = otlp.resourceAttributes;
  const { headers, protocol, compression, timeoutMs, sampleRatio, queueBytes, serviceName = attributed } = otlp;
  const resource = { 'service.name': serviceName, ...attributes };
  const transfer = { headers, protocol, compression, timeoutMs };
  return { tracesUrl, logsUrl, ...transfer, sampleRatio, queueBytes, maxTasks: limits.openTasks, resource, version };
}

export function redisOptions({ broker }: Config): RedisTransportOptions {
  const { username, password, ssl } = { ...broker.sentinelKwargs };
  const tls = brokerTls(broker);
  return {
    keyPrefix: broker.globalKeyprefix,
    fanoutPrefix: broker.fanoutPrefix,
    fanoutPatterns: broker.fanoutPatterns,
    eventExchange: broker.eventExchange,
    controlExchange: broker.controlExchange,
    prioritySteps: broker.prioritySteps,
    sep: broker.sep,
    ...(broker.masterName !== undefined && { masterName: broker.masterName }),
    ...(typeof username === 'string' && { sentinelUsername: username }),
    ...(typeof password === 'string' && { sentinelPassword: password }),
    ...(ssl === true && tls !== undefined && { sentinelTls: tls }),
    ...(tls !== undefined && { tls }),
  };
}

/** Of RabbitMQ; see `AmqpTransportOptions`. */
export function amqpOptions({ broker }: Config): AmqpTransportOptions {
  const tls = brokerTls(broker);
  return {
    eventExchange: broker.eventExchange,
    controlExchange: broker.controlExchange,
    eventQueueMaxBytes: broker.eventQueueMaxBytes,
    eventQueueMaxAgeMs: broker.eventQueueMaxAgeMs,
    prefetch: broker.prefetch,
    ...(broker.eventQueue !== undefined && { eventQueue: broker.eventQueue }),
    ...(broker.brokerApi !== undefined && { brokerApi: broker.brokerApi }),
    ...(tls !== undefined && { tls }),
  };
}
