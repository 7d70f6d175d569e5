import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config.ts';
import { printConfig } from './help.ts';
import { insecurities } from './insecurities.ts';
import { type Loaded, loadConfig } from './load.ts';

const FILES: Readonly<Record<string, string>> = {
  '/run/tokens': 'grafana:editor:0123456789abcdef0123\nci:viewer:abcdef0123456789abcd\n',
  '/etc/cert.pem': 'PEM',
};

function load(argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Loaded {
  const readFile = (path: string): string => FILES[path] ?? '';
  return loadConfig(argv, env, { hostname: 'box', readFile });
}

function problems(...argv: string[]): readonly string[] {
  try {
    load(argv);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the access options', () => {
  it('take users as Flower does, from its variable too, and hashes with their commas', () => {
    const hash = '$scrypt$ln=15,r=8,p=3$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g';
    const { config } = load([], { FLOWER_BASIC_AUTH: `ada:pass:word,bob:${hash},eve:x` });
    expect(config.access.basicAuth).toEqual([
      { name: 'ada', secret: 'pass:word' },
      { name: 'bob', secret: hash },
      { name: 'eve', secret: 'x' },
    ]);
    const flags = load(['--basic_auth=ada:1', '--basic_auth=bob:2', '--basic-auth-roles=bob=viewer']).config.access;
    expect(flags.basicAuth.map(({ name }) => name)).toEqual(['ada', 'bob']);
    expect([...flags.basicAuthRoles]).toEqual([['bob', 'viewer']]);
    expect(load([], { FLOWER_BASIC_AUTH: '[]' }).config.access.basicAuth).toEqual([]);
  });

  it('take tokens from a file, a line each', () => {
    expect(load([], { UMBEL_TOKENS_FILE: '/run/tokens' }).config.access.tokens).toEqual([
      { name: 'grafana', role: 'editor', token: '0123456789abcdef0123' },
      { name: 'ci', role: 'viewer', token: 'abcdef0123456789abcd' },
    ]);
  });

  it('take host names as they stand in Host', () => {
    const { config } = load(['--allowed-hosts=Umbel.Example,agent']);
    expect(config.http.allowedHosts).toEqual(['umbel.example', 'agent']);
    expect(problems('--allowed-hosts=http://a.example')).toEqual([expect.stringMatching(/without https/)]);
    expect(problems('--allowed-hosts=a.example:5555')).toEqual([expect.stringMatching(/and port/)]);
  });

  it('show no secret', () => {
    const printed = printConfig(load(['--basic-auth=ada:s3cret', '--tokens=ci:viewer:s3cret']).values);
    expect(printed).toMatch(/UMBEL_BASIC_AUTH=\*\*\*/);
    expect(printed).not.toContain('s3cret');
    expect(printConfig(load().values)).toMatch(/^UMBEL_TOKENS= +# default$/m);
  });

  it.each([
    [['--oidc-issuer=https://a.example'], /--oidc-audience/],
    [['--oidc-audience=umbel'], /--oidc-issuer/],
    [['--basic-auth=ada:1', '--basic-auth-roles=bob=viewer'], /bob is no user/],
    [['--cors-origins=*'], /without a path/],
    [['--cors-origins=https://a.example/path'], /without a path/],
    [['--tokens=a:root:x'], /viewer, editor, admin/],
    [['--grafana-url=https://user:pass@grafana.example'], /without a password/],
  ])('refuse %j', (argv, reason) => {
    expect(problems(...argv)).toEqual([expect.stringMatching(reason)]);
  });
});

describe('insecurities', () => {
  const found = (argv: string[], env: Record<string, string> = {}): string => {
    const { config, values } = load(argv, env);
    const all = insecurities(config, values);
    for (const sentence of all) expect(sentence).toMatch(/\.$/);
    return all.join('\n');
  };
  const SAFE = { UMBEL_TOKENS_FILE: '/run/tokens' };

  it('are none where all is well', () => {
    expect(found([], SAFE)).toBe('');
    const remote = {
      ...{
        UMBEL_BROKER: 'rediss://:a-long-password@r.example/0?ssl_cert_reqs=required',
        UMBEL_ADDRESS: '0.0.0.0',
        UMBEL_KEYFILE: '/etc/cert.pem',
      },
      ...{ UMBEL_RESULT_BACKEND: 'rediss://:a-long-password@r.example/1?ssl_cert_reqs=required' },
      ...{ UMBEL_DATABASE_URL: 'postgres://u:a-long-password@d.example/db?sslmode=verify-full' },
      ...{ UMBEL_OTLP_ENDPOINT: 'http://alloy:4318', UMBEL_OTLP_HEADERS: 'authorization=x' },
      ...{ UMBEL_CERTFILE: '/etc/cert.pem', UMBEL_OIDC_ISSUER: 'https://id.example', UMBEL_OIDC_AUDIENCE: 'umbel' },
    };
    expect(found([], { ...SAFE, ...remote })).toBe('');
  });

  it('name the fix where nothing is set up', () => {
    expect(found([])).toMatch(/^Every program on this machine may read.*--basic-auth, --tokens or --oidc-issuer/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['Flower’s variable', { FLOWER_UNAUTHENTICATED_API: 'true' }, /EVERY PROGRAM ON THIS MACHINE.*MAY STOP WORKERS/],
    [
      'Flower’s variable elsewhere',
      { FLOWER_UNAUTHENTICATED_API: 'true', UMBEL_ADDRESS: '::' },
      /EVERYBODY WHO REACHES/,
    ],
    ['Flower’s variable with a sign-in', { ...SAFE, FLOWER_UNAUTHENTICATED_API: '1' }, /is not used/],
    ['open reads', { UMBEL_ANONYMOUS: 'viewer', UMBEL_ADDRESS: '0.0.0.0' }, /EVERYBODY WHO REACHES THE PORT may read/],
    ['a short password', { UMBEL_BASIC_AUTH: 'ada:x1y2z3' }, /user ada is shorter than 8/],
    ['a usual password', { UMBEL_BASIC_AUTH: 'ada:Password123' }, /user ada is one that is tried first/],
    ['the name as password', { UMBEL_BASIC_AUTH: 'adalovelace:adalovelace' }, /tried first/],
    [
      'a reused password',
      { UMBEL_BASIC_AUTH: 'ada:long-enough-1,bob:long-enough-1' },
      /bob has the password of another/,
    ],
    ['a plain password', { UMBEL_BASIC_AUTH: 'ada:long-enough-1' }, /--hash-password/],
    ['a short token', { UMBEL_TOKENS: 'ci:viewer:abc' }, /token ci can be guessed/],
    [
      'a reused token',
      { UMBEL_TOKENS: 'a:viewer:0123456789abcdef0123,b:admin:0123456789abcdef0123' },
      /token b is used/,
    ],
    ['plain HTTP', { ...SAFE, UMBEL_ADDRESS: '0.0.0.0' }, /plain HTTP/],
    [
      'plain OTLP with headers',
      { ...SAFE, UMBEL_OTLP_ENDPOINT: 'http://otlp.example:4318', UMBEL_OTLP_HEADERS: 'authorization=x' },
      /OTLP receiver is reached without TLS.*https/,
    ],
    [
      'a plain broker',
      { ...SAFE, UMBEL_BROKER: 'redis://:a-long-password@r.example/0' },
      /broker is reached without TLS/,
    ],
    ['a usual broker password', { ...SAFE, UMBEL_BROKER: 'amqps://guest:guest@r.example//' }, /password in --broker/],
    ['an unchecked broker', { ...SAFE, UMBEL_BROKER_SSL_CERT_REQS: 'none' }, /broker's certificate is not checked/],
    [
      'a broker that nobody asked to check',
      { ...SAFE, UMBEL_BROKER: 'amqps://u:a-long-password@r.example//' },
      /broker's certificate is not checked.*--broker-ssl-cert-reqs required/,
    ],
    [
      'an unchecked result backend',
      { ...SAFE, UMBEL_RESULT_BACKEND: 'rediss://:a-long-password@r.example/1' },
      /result backend's certificate is not checked/,
    ],
    [
      'a result backend that is not to be checked',
      { ...SAFE, CELERY_RESULT_BACKEND: 'rediss://:a-long-password@r.example/1?ssl_cert_reqs=CERT_NONE' },
      /result backend's certificate is not checked/,
    ],
    ['a plain database', { ...SAFE, UMBEL_DATABASE_URL: 'postgres://u:long-enough@10.0.0.1/d' }, /sslmode=verify-full/],
    ['a plain provider', { ...SAFE, UMBEL_GRAFANA_URL: 'http://grafana.example' }, /--grafana-url is read without TLS/],
  ])('of %s are told', (_name, env, sentence) => {
    expect(found([], env)).toMatch(sentence);
    expect(found([], env)).not.toMatch(/Password123|long-enough|a-long-password|0123456789|x1y2z3/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['without a sign-in', {}, /^Everybody who shows a certificate of an authority in --ca-certs may read everything/],
    ['that are chosen', { ...SAFE, UMBEL_ANONYMOUS: 'viewer' }, /who shows a certificate.*may read without signing in/],
    ['of Flower’s variable', { FLOWER_UNAUTHENTICATED_API: 'true' }, /WHO shows a certificate.*MAY STOP WORKERS/],
  ])('of open doors %s name the certificate that clients must show', (_name, env, sentence) => {
    const files = { UMBEL_CERTFILE: '/etc/cert.pem', UMBEL_KEYFILE: '/etc/cert.pem', UMBEL_CA_CERTS: '/etc/cert.pem' };
    for (const address of ['0.0.0.0', '127.0.0.1']) {
      const text = found([], { ...env, ...files, UMBEL_ADDRESS: address });
      expect(text).toMatch(sentence);
      expect(text).not.toMatch(/REACHES THE PORT|reaches the port|on this machine/i);
    }
  });

  it('of secrets on the command line are told, not of files', () => {
    expect(found(['--tokens=ci:viewer:0123456789abcdef0123'])).toMatch(/--tokens: every user of this machine sees it/);
    expect(found(['--broker', 'redis://:pass-word-1@redis/0'], SAFE)).toMatch(/--broker: every user/);
    expect(found(['--broker', 'redis://redis/0', '--tokens-file=/run/tokens'])).toBe('');
  });
});
