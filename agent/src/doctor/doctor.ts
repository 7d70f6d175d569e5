import type { Clock } from '../lib/clock.ts';
import type { ResultBackend } from '../results/port.ts';
import type { Check } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';
import { databaseCheck, type DatabaseContext } from './database-check.ts';
import { type Broker, type Observation, observe, type ObserveOptions } from './observation.ts';
import { otlpCheck, type OtlpReceiver } from './otlp-check.ts';
import { agentCheck, diskCheck, type DiskContext, type Fetch, grafanaCheck, settingsCheck } from './place-checks.ts';
import { resultsCheck } from './results-check.ts';

/** All that is looked at; whoever composes it closes the broker afterwards. */
export interface DoctorPorts {
  readonly broker: Broker;
  readonly eventExchange: string;
  /** Option --enable-events: events that were off are then left on. */
  readonly enablesEvents: boolean;
  /** Undefined: none is configured. Rejects where its URL cannot be used. */
  readonly openResults: () => Promise<Pick<ResultBackend, 'displayUrl' | 'get' | 'close'> | undefined>;
  /** Undefined: --no-history. */
  readonly database: DatabaseContext | undefined;
  readonly disk: DiskContext;
  readonly grafanaUrl: string | undefined;
  /** Where traces and logs are sent; none when they are not. */
  readonly openOtlp: () => Promise<readonly OtlpReceiver[]>;
  /** Where an agent with this configuration listens, e.g. `http://127.0.0.1:5555/flower`. */
  readonly agentUrl: string;
  /** A token that it takes; undefined: none is known. */
  readonly agentToken?: string | undefined;
  /** Warnings of the configuration, insecure settings among them. */
  readonly warnings: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Waits of the look at the cluster; defaults as there. */
  readonly waits?: Pick<ObserveOptions, 'connectMs' | 'listenMs' | 'replyMs'>;
}

/** Every check of `umbel doctor`, in the order in which they are printed. The broker is looked at once for all of them. */
export function doctorChecks(ports: DoctorPorts): readonly Check[] {
  const { broker, clock, enablesEvents, eventExchange, fetch } = ports;
  let observation: Promise<Observation> | undefined;
  const observed = (): Promise<Observation> =>
    (observation ??= observe(broker, { clock, keepEventsOn: enablesEvents, ...ports.waits }));
  return [
    settingsCheck(ports.warnings),
    ...clusterChecks(observed, { displayUrl: broker.displayUrl, eventExchange, enablesEvents }),
    resultsCheck(ports.openResults, observed),
    databaseCheck(ports.database),
    diskCheck(ports.disk),
    otlpCheck(ports.openOtlp),
    grafanaCheck(ports.grafanaUrl, fetch, () => clock.now()),
    agentCheck(ports.agentUrl, fetch, ports.agentToken),
  ];
}
