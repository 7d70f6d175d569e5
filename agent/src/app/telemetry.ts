import type { Config } from '../config/config.ts';
import type { OtlpReceiver } from '../doctor/otlp-check.ts';
import type { CloserStack } from '../lib/closer-stack.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { Exporter } from '../sinks/otlp/options.ts';
import { OtlpSink } from '../sinks/otlp/sink.ts';
import type { BrokerTransport } from '../transport/port.ts';
import type { Shedding } from './shedding.ts';
import { agentVersion, otlpOptions } from './settings.ts';

/** What sending the last spans and log records may take of a shutdown, ms. */
const CLOSE_MS = 2000;

export interface TelemetryDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: Pick<BrokerTransport, 'scheme'>;
  readonly metrics: Pick<Metrics, 'queueOf'>;
  readonly shedding: Pick<Shedding, 'refuses'>;
}

const MESSAGING_SYSTEM = { redis: 'redis', amqp: 'rabbitmq', demo: 'demo' } as const;

/** What the doctor waits for a receiver, ms. */
const PROBE_MS = 3000;
/** Loki's answer to a batch without records that it has read well (pkg/distributor, MissingStreamsErrorMsg). */
const LOKI_ON_NOTHING = /^HTTP 422 .*at least one valid stream/;
/** The doctor tells what it finds in its own words. */
const silent = (): void => undefined;
const SILENT: Logger = { error: silent, warn: silent, info: silent, debug: silent };

/** The sink of traces and logs; undefined when nobody is to be told. */
export async function openTelemetry(
  config: Config,
  { clock, logger, transport, metrics, shedding }: TelemetryDeps,
  open: CloserStack,
): Promise<OtlpSink | undefined> {
  const options = otlpOptions(config, agentVersion());
  if (options === undefined) return undefined;
  // Those who send nothing do not pay for the exporters: 16 MB of memory.
  const { openExporters } = await import('../sinks/otlp/exporters.ts');
  const sink = new OtlpSink({
    ...openExporters(options, logger),
    clock,
    logger,
    options,
    system: MESSAGING_SYSTEM[transport.scheme],
    queueOf: (task) => metrics.queueOf(task),
    isShared: config.history.enabled,
    isShed: () => shedding.refuses('telemetry'),
  });
  open.use({ close: () => sink.close(clock.now() + CLOSE_MS) });
  return sink;
}

/** Where the configuration sends traces and logs, for the doctor. */
export async function otlpReceivers(config: Config): Promise<readonly OtlpReceiver[]> {
  const options = otlpOptions(config, agentVersion());
  if (options === undefined) return [];
  const { openExporters } = await import('../sinks/otlp/exporters.ts');
  const { spans, logs } = openExporters({ ...options, timeoutMs: PROBE_MS }, SILENT);
  return [...receiver('traces', spans), ...receiver('logs', logs)];
}

function receiver(signal: OtlpReceiver['signal'], exporter: Exporter<never> | undefined): OtlpReceiver[] {
  if (exporter === undefined) return [];
  const probe = async (): Promise<string | undefined> => {
    const outcome = await exporter.export([]);
    await exporter.close();
    return outcome.kind === 'taken' || LOKI_ON_NOTHING.test(outcome.reason) ? undefined : outcome.reason;
  };
  return [{ signal, displayUrl: exporter.displayUrl, probe }];
}
