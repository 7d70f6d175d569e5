import { isLoopback } from '../lib/loopback.ts';
import type { Config } from './config.ts';
import type { Option } from './option.ts';
import { ALL_OPTIONS } from './options.ts';
import type { JsonObject } from './value-types-lists.ts';

/** Warnings that one given value deserves. */
export function collectNotes(option: Option<unknown>, value: unknown, source: string): readonly string[] {
  const parts = ALL_OPTIONS.flatMap((placed) => (placed.option.partOf?.option === option.name ? [placed.option] : []));
  if (parts.length === 0 || typeof value !== 'object' || value === null) return [];
  const known = new Set(parts.flatMap((part) => part.partOf?.keys ?? []));
  const unused = Object.keys(value as JsonObject).filter((key) => !known.has(key));
  if (unused.length === 0) return [];
  return [
    `${source}: ${unused.join(', ')} ${unused.length === 1 ? 'has' : 'have'} no effect here; used are ${[...known].join(', ')}`,
  ];
}

/** What is only seen when all options are looked at together. `brokerSource` is the flag or variable that gave the broker. */
export function notesOnWhole(
  config: Config,
  checkBrokerUrls: ((urls: string) => unknown) | undefined,
  brokerSource: string,
): { readonly problems: readonly string[]; readonly warnings: readonly string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  const { agent, broker, history, metrics } = config;
  if (broker.url !== undefined && checkBrokerUrls !== undefined) {
    try {
      checkBrokerUrls(broker.url);
    } catch (error) {
      problems.push(`${brokerSource}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (/^\s*sentinel:/i.test(broker.url ?? '') && broker.masterName === undefined) {
    problems.push('--master-name: sentinel:// needs the name of the master, e.g. --master-name mymaster');
  }
  if ((broker.sslCertfile === undefined) !== (broker.sslKeyfile === undefined)) {
    problems.push('--broker-ssl-certfile, --broker-ssl-keyfile: a certificate needs its key; give both or neither');
  }
  if (agent.slice.of > 1 && /^\s*(?:amqps?:|pyamqp)/i.test(broker.url ?? '')) {
    problems.push(
      '--slice: RabbitMQ gives every event to one agent, and to another one when that is gone; start as many as you like without --slice',
    );
  }
  problems.push(...accessProblems(config));
  if (!history.enabled && history.databaseUrl !== undefined) {
    warnings.push('--database-url: not used, since --no-history switches the history off');
  }
  if (metrics.purgeMs > 0 && metrics.purgeMs < metrics.workerTimeoutMs) {
    warnings.push(
      '--purge-offline-workers: shorter than --worker-timeout, so a lost worker vanishes before it is shown as down',
    );
  }
  warnings.push(...otlpWarnings(config));
  return { problems, warnings };
}

/** The mistake that is made most often: the other port. */
function otlpWarnings({ otlp }: Config): string[] {
  const urls = { '--otlp-endpoint': otlp.endpoint, '--otlp-traces-endpoint': otlp.tracesEndpoint };
  return Object.entries({ ...urls, '--otlp-logs-endpoint': otlp.logsEndpoint }).flatMap(([name, url]) =>
    url !== undefined && /:4317(?:\/|$)/.test(url)
      ? [`${name}: port 4317 is by custom that of gRPC, which is not spoken; OTLP over HTTP has 4318`]
      : [],
  );
}

function accessProblems({ access, http }: Config): string[] {
  const problems: string[] = [];
  if ((http.certfile === undefined) !== (http.keyfile === undefined)) {
    problems.push('--certfile, --keyfile: a certificate needs its key; give both or neither');
  }
  if (http.caCerts !== undefined && http.certfile === undefined) {
    problems.push('--ca-certs: clients show certificates only over HTTPS; give --certfile and --keyfile too');
  }
  if (access.oidcIssuer !== undefined && access.oidcAudience.length === 0) {
    problems.push('--oidc-audience: needed with --oidc-issuer, else tokens made for other programs would do here');
  }
  if (access.oidcIssuer === undefined && (access.oidcAudience.length > 0 || access.oidcJwksUri !== undefined)) {
    problems.push('--oidc-issuer: needed with the other options of OIDC');
  }
  for (const name of access.basicAuthRoles.keys()) {
    if (access.basicAuth.some((user) => user.name === name)) continue;
    problems.push(`--basic-auth-roles: ${name} is no user of --basic-auth; the names must be the same`);
  }
  const isChosen = access.anonymous !== 'auto' || access.unauthenticatedApi || http.caCerts !== undefined;
  if (http.unixSocket === '' && !isLoopback(http.address) && !hasSignIn(access) && !isChosen) {
    problems.push(
      `--address ${http.address}: ANYONE WHO REACHES PORT ${http.port} COULD READ EVERYTHING; set up a sign-in by --basic-auth, ` +
        '--tokens or --oidc-issuer (docs/security.md), or say that it is meant by --anonymous viewer',
    );
  }
  return problems;
}

/** Whether there is anything to sign in with. */
export function hasSignIn({ basicAuth, tokens, oidcIssuer }: Config['access']): boolean {
  return basicAuth.length > 0 || tokens.length > 0 || oidcIssuer !== undefined;
}
