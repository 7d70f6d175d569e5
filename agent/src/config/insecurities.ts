import { secretKind } from '../core/identity/credentials.ts';
import { isLoopback } from '../lib/loopback.ts';
import { brokerTls } from './broker-tls.ts';
import type { Config } from './config.ts';
import type { Sourced } from './load.ts';
import { hasSignIn } from './notes.ts';

const SHORTEST_PASSWORD = 8;
/** 20 letters and digits are about 100 bits. */
const SHORTEST_TOKEN = 20;
/** What installations come with, or people type to have done with it. */
const COMMON =
  /^(admin|administrator|celery|change-?me|default|flower|guest|letmein|pass(word|w0rd)?|postgres|qwerty|rabbitmq|redis|root|secret|test|token|umbel|user|0?12345678?9?0?)\d{0,4}!?$/i;

/**
 * What of the settings lets in more people than the operator may want, or shows secrets: whole sentences, each with
 * the fix, no secret in any. For the log at the start and for `/api/v1/status`.
 *
 * @param values where each setting came from, to find secrets on the command line
 */
export function insecurities(config: Config, values: readonly Sourced[] = []): readonly string[] {
  return [
    ...anonymousAccess(config),
    ...weakPasswords(config),
    ...weakTokens(config),
    ...plainConnections(config),
    ...commandLine(values),
  ];
}

function anonymousAccess({ access, http }: Config): string[] {
  const isLocal = http.unixSocket !== '' || isLoopback(http.address);
  // TLS lets in nobody else.
  const certificate = http.caCerts === undefined ? undefined : 'shows a certificate of an authority in --ca-certs';
  if (hasSignIn(access)) {
    const unused = access.unauthenticatedApi
      ? ['FLOWER_UNAUTHENTICATED_API is not used, since a sign-in is set up; take it away.']
      : [];
    if (access.anonymous !== 'viewer') return unused;
    const who = certificate ?? 'reaches the port';
    return [...unused, `Everybody who ${who} may read without signing in: --anonymous viewer.`];
  }
  const fix = 'give --basic-auth, --tokens or --oidc-issuer (docs/security.md)';
  if (access.unauthenticatedApi) {
    const who =
      isLocal && certificate === undefined
        ? 'EVERY PROGRAM ON THIS MACHINE, AND EVERY WEB PAGE OPEN IN A BROWSER ON IT,'
        : `EVERYBODY WHO ${certificate ?? 'REACHES THE PORT'}`;
    return [
      `${who} MAY STOP WORKERS AND START TASKS, since FLOWER_UNAUTHENTICATED_API is set; take it away and ${fix}.`,
    ];
  }
  if (access.anonymous === 'none') return [`Nobody can sign in, and --anonymous none keeps the rest out: ${fix}.`];
  const reached = isLocal ? 'Every program on this machine' : 'EVERYBODY WHO REACHES THE PORT';
  const who = certificate === undefined ? reached : `Everybody who ${certificate}`;
  return [`${who} may read everything and nobody may act, since no sign-in is set up: ${fix}.`];
}

function weakPasswords({ access, broker, history }: Config): string[] {
  const found: string[] = [];
  const plain = access.basicAuth.filter(({ secret }) => secretKind(secret).kind === 'plain');
  for (const { name, secret } of plain) {
    const weakness = weaknessOf(secret, name);
    if (weakness !== undefined) found.push(`The password of the user ${name} is ${weakness}; give a longer one.`);
  }
  const reused = plain.filter(({ secret }, index) => plain.findIndex((one) => one.secret === secret) < index);
  for (const { name } of reused)
    found.push(`The user ${name} has the password of another user; give each one of his own.`);
  if (plain.length > 0) {
    found.push('Passwords of --basic-auth are kept as they are; --hash-password makes a hash to put in their place.');
  }
  for (const [option, text] of [
    ['--broker', broker.url],
    ['--database-url', history.databaseUrl],
  ] as const) {
    for (const { url, isRemote } of urlsOf(text)) {
      const weakness = url.password === '' ? undefined : weaknessOf(decoded(url.password), url.username);
      if (isRemote && weakness !== undefined) found.push(`The password in ${option} is ${weakness}; change it there.`);
    }
  }
  return found;
}

function weaknessOf(password: string, user: string): string | undefined {
  if (password === user || COMMON.test(password)) return 'one that is tried first';
  return password.length < SHORTEST_PASSWORD ? `shorter than ${SHORTEST_PASSWORD} characters` : undefined;
}

function weakTokens({ access }: Config): string[] {
  const plain = access.tokens.filter(({ token }) => !token.startsWith('sha256:'));
  const short = plain.filter(({ token }) => token.length < SHORTEST_TOKEN || COMMON.test(token));
  const passwords = new Set(access.basicAuth.map(({ secret }) => secret));
  const doubled = access.tokens.filter(
    ({ token }, index) => passwords.has(token) || access.tokens.findIndex((one) => one.token === token) < index,
  );
  return [
    ...short.map(({ name }) => `The token ${name} can be guessed; make one by openssl rand -hex 32.`),
    ...doubled.map(({ name }) => `The token ${name} is used for something else too; give each a secret of its own.`),
  ];
}

function plainConnections(config: Config): string[] {
  const { access, broker, history, http } = config;
  const found: string[] = [];
  const isLocal = http.unixSocket !== '' || isLoopback(http.address);
  if (!isLocal && http.certfile === undefined && !http.xheaders) {
    found.push(
      'The port speaks plain HTTP: passwords, tokens and data can be read on the way; give --certfile and --keyfile, or let a proxy do TLS (--xheaders).',
    );
  }
  const usesTls = broker.useSsl === true || typeof broker.useSsl === 'object' || broker.sslCaCerts !== undefined;
  if (!usesTls && urlsOf(broker.url).some(({ url, isRemote }) => isRemote && !/^(rediss|amqps):$/.test(url.protocol))) {
    found.push(
      'The broker is reached without TLS: its password and all tasks can be read on the way; use rediss:// or amqps://.',
    );
  }
  if (isBrokerUnverified(broker)) {
    found.push(
      "The broker's certificate is not checked: anybody may stand in its place; give --broker-ssl-cert-reqs required, with --broker-ssl-ca-certs where the authority is your own.",
    );
  }
  if (urlsOf(broker.resultBackend).some(({ url }) => isUnverified(url))) {
    found.push(
      "The result backend's certificate is not checked: anybody may stand in its place; add ssl_cert_reqs=required to --result-backend.",
    );
  }
  const isPlainDatabase = ({ url, isRemote }: NamedUrl): boolean =>
    isRemote && !/^(require|verify-ca|verify-full)$/.test(url.searchParams.get('sslmode') ?? '');
  if (urlsOf(history.databaseUrl).some(isPlainDatabase)) {
    found.push('The database is reached without TLS; add sslmode=verify-full to --database-url.');
  }
  for (const [option, text] of [
    ['--oidc-issuer', access.oidcIssuer],
    ['--oidc-jwks-uri', access.oidcJwksUri],
    ['--grafana-url', access.grafanaUrl],
  ] as const) {
    if (urlsOf(text).some(({ url, isRemote }) => isRemote && url.protocol === 'http:')) {
      found.push(`${option} is read without TLS: whoever is on the way can make himself an admin; use https://.`);
    }
  }
  return [...found, ...plainOtlp(config)];
}

function plainOtlp({ otlp }: Config): string[] {
  if (Object.keys(otlp.headers).length === 0) return [];
  const receivers = [otlp.endpoint, otlp.tracesEndpoint, otlp.logsEndpoint].flatMap(urlsOf);
  return receivers.some(({ url, isRemote }) => isRemote && url.protocol === 'http:')
    ? ['The OTLP receiver is reached without TLS: --otlp-headers can be read on the way; use https://.']
    : [];
}

/** As in Celery nothing is checked unless somebody asks for it; the options, where there are any, win over the URL. */
function isBrokerUnverified(broker: Config['broker']): boolean {
  const tls = brokerTls(broker);
  return tls === undefined ? urlsOf(broker.url).some(({ url }) => isUnverified(url)) : !tls.verify;
}

/** As `tlsFromQuery` reads it (transport/url-tls.ts): without any `ssl_` key nothing is checked, as in kombu. */
function isUnverified({ protocol, searchParams }: URL): boolean {
  if (!/^(rediss|amqps):$/.test(protocol)) return false;
  if (![...searchParams.keys()].some((key) => key.startsWith('ssl_'))) return true;
  return /^(CERT_NONE|none)$/.test(searchParams.get('ssl_cert_reqs') ?? '');
}

interface NamedUrl {
  readonly url: URL;
  /** Neither on this machine nor a bare name, which only the own network (Docker, Kubernetes) resolves. */
  readonly isRemote: boolean;
}

function urlsOf(text: string | undefined): readonly NamedUrl[] {
  return (text ?? '').split(';').flatMap((one) => {
    const trimmed = one.trim();
    if (!URL.canParse(trimmed)) return [];
    const url = new URL(trimmed);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return [{ url, isRemote: /[.:]/.test(host) && !isLoopback(host) }];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Every user of a machine sees the command lines of its processes. */
function commandLine(values: readonly Sourced[]): string[] {
  return values
    .filter(({ option, value, source }) => {
      if (!source.startsWith('-') || option.hide === undefined) return false;
      if (source.split(', ').every((one) => /[-_]file$/.test(one))) return false;
      return option.hide === 'secret' || urlsOf(String(value)).some(({ url }) => url.password !== '');
    })
    .map(
      ({ option, source }) =>
        `${source}: every user of this machine sees it in the list of processes; give it by --${option.name}-file or an environment variable.`,
    );
}
