import { option } from './option.ts';
import { duration, matching, oneOf, optional, size, text } from './value-types.ts';
import { pairs, protocol, ratio } from './value-types-otlp.ts';

const MiB = 1024 ** 2;
const HTTP_URL = /^https?:\/\/[^\s?#]+$/;
const SIGNAL_URL = /^(?:https?:\/\/\S+|none)$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ATTRIBUTE_NAME = /^[^\s=,]+$/;

const signalUrl = optional(matching('URL', SIGNAL_URL, 'a URL like http://loki:3100/otlp/v1/logs, or none'));

/** Traces and logs by OTLP. */
export const OTLP = {
  endpoint: option<string | undefined>({
    name: 'otlp-endpoint',
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    type: optional(matching('URL', HTTP_URL, 'a URL like http://alloy:4318')),
    default: undefined,
    hide: 'url',
    doc: 'Receiver of traces and logs by OTLP over HTTP: Alloy, an OpenTelemetry collector, Tempo. /v1/traces and /v1/logs are appended.',
  }),
  tracesEndpoint: option<string | undefined>({
    name: 'otlp-traces-endpoint',
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    type: signalUrl,
    default: undefined,
    defaultDoc: '--otlp-endpoint',
    hide: 'url',
    doc: 'Receiver of traces, the whole URL: http://tempo:4318/v1/traces. none sends no traces.',
  }),
  logsEndpoint: option<string | undefined>({
    name: 'otlp-logs-endpoint',
    env: ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
    type: signalUrl,
    default: undefined,
    defaultDoc: '--otlp-endpoint',
    hide: 'url',
    doc: 'Receiver of logs, the whole URL: http://loki:3100/otlp/v1/logs. none sends no logs.',
  }),
  headers: option<Readonly<Record<string, string>>>({
    name: 'otlp-headers',
    env: ['OTEL_EXPORTER_OTLP_HEADERS'],
    type: pairs('headers', HEADER_NAME),
    default: {},
    hide: 'secret',
    doc: 'Headers of every request, percent-encoded: Authorization=Basic%20…,X-Scope-OrgID=team.',
  }),
  protocol: option<'http/protobuf' | 'http/json'>({
    name: 'otlp-protocol',
    env: ['OTEL_EXPORTER_OTLP_PROTOCOL'],
    type: protocol,
    default: 'http/protobuf',
    doc: 'How spans and log records are written.',
  }),
  compression: option<'gzip' | 'none'>({
    name: 'otlp-compression',
    env: ['OTEL_EXPORTER_OTLP_COMPRESSION'],
    type: oneOf(['gzip', 'none']),
    default: 'gzip',
    doc: 'Compression of the requests.',
  }),
  timeoutMs: option({
    name: 'otlp-timeout',
    env: ['OTEL_EXPORTER_OTLP_TIMEOUT'],
    type: duration('ms', 100, 60_000),
    default: 10_000,
    doc: 'Longest time to send a batch; afterwards it is tried again, with growing pauses. A plain number is milliseconds.',
  }),
  sampleRatio: option({
    name: 'otlp-sample-ratio',
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    type: ratio,
    default: 1,
    doc: 'Share of the traces that are sent; tasks that failed, were retried, revoked or rejected are sent always. Logs are not sampled.',
  }),
  serviceName: option<string | undefined>({
    name: 'otlp-service-name',
    env: ['OTEL_SERVICE_NAME'],
    type: optional(text('NAME')),
    default: undefined,
    defaultDoc: 'service.name of the resource attributes, else celery',
    doc: 'Resource attribute service.name: what Tempo calls the service, and the label service_name in Loki.',
  }),
  resourceAttributes: option<Readonly<Record<string, string>>>({
    name: 'otlp-resource-attributes',
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    type: pairs('attributes', ATTRIBUTE_NAME),
    default: {},
    doc: 'Further resource attributes: deployment.environment=prod,service.namespace=shop.',
  }),
  queueBytes: option({
    name: 'otlp-queue-size',
    type: size(MiB, 1024 * MiB),
    default: 8 * MiB,
    doc: 'Memory for spans that wait to be sent, and as much for log records; beyond it the oldest are dropped and counted.',
  }),
};
