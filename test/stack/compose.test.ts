import { describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../../agent/src/config/load.ts';
import { parseBrokerUrls } from '../../agent/src/transport/url.ts';
import { ROOT } from '../support/paths.ts';

interface Service {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile?: string };
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly deploy?: { readonly resources: { readonly limits?: Limits; readonly reservations?: Limits } };
}

interface Limits {
  readonly cpus?: string;
  readonly memory?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true, maxAliasCount: -1 }) as ComposeFile;
const services = Object.entries(compose.services);
/** They do their work and end. */
const ONE_SHOT = ['secrets', 'demo-broker', 'demo-datasource'];
/** Nothing in them answers. */
const WITHOUT_HEALTH = ['beat-redis', 'load-redis', 'load-rabbitmq'];

describe('docker-compose.yml', () => {
  it('has every part of the stack, and the demo beside it', () => {
    const names = (isDemo: boolean): string[] =>
      services.filter(([, { profiles }]) => (profiles !== undefined) === isDemo).map(([name]) => name);
    expect(names(false).sort()).toEqual(
      ['agent', 'alertmanager', 'alloy', 'grafana', 'loki', 'postgres', 'prometheus', 'secrets', 'tempo'].sort(),
    );
    expect(names(true).sort()).toEqual([
      ...['agent-rabbitmq', 'beat-redis', 'demo-broker', 'demo-datasource'],
      ...['load-rabbitmq', 'load-redis', 'rabbitmq', 'redis'],
      ...['redis-exporter', 'worker-rabbitmq-1', 'worker-rabbitmq-2', 'worker-redis-1', 'worker-redis-2'],
    ]);
  });

  it.each(services)('%s is bounded, restarted, watched, and has a pinned version', (name, service) => {
    const { limits } = service.deploy?.resources ?? {};
    expect(limits).toEqual({ cpus: expect.any(String), memory: expect.any(String) });
    expect(service.restart).toBe(ONE_SHOT.includes(name) ? 'no' : 'unless-stopped');
    expect(service.logging?.options).toEqual({ 'max-size': expect.any(String), 'max-file': expect.any(String) });
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.image).toMatch(/^[\w./-]+:(v?\d+\.\d+\S*|\$\{UMBEL_VERSION:-\d+\.\d+\.\d+\})$/);
    if (ONE_SHOT.includes(name)) return;
    if (WITHOUT_HEALTH.includes(name)) expect(service.healthcheck).toEqual({ disable: true });
    else expect(service.healthcheck?.test?.length).toBeGreaterThan(1);
  });

  it('gives the agent half a processor and 256 MB', () => {
    expect(compose.services['agent']?.deploy?.resources).toEqual({
      limits: { cpus: '0.5', memory: '256M' },
      reservations: { cpus: '0.05', memory: '64M' },
    });
  });

  it('publishes Grafana alone, on this machine alone', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
      ['grafana', ['${GRAFANA_BIND:-127.0.0.1}:${GRAFANA_PORT:-3000}:3000']],
    ]);
  });

  it('links to Grafana by the port that was chosen, from its own pages and from the alerts', () => {
    const { grafana, prometheus } = compose.services;
    const url = '${GRAFANA_ROOT_URL:-http://localhost:${GRAFANA_PORT:-3000}}';
    expect(grafana?.environment).toMatchObject({ GF_SERVER_ROOT_URL: url });
    expect(prometheus?.environment).toMatchObject({ GRAFANA_ROOT_URL: url });
    expect(read('provisioning/prometheus/prometheus.yml')).toContain('\n    grafana_url: ${GRAFANA_ROOT_URL}\n');
  });

  it('keeps brokers and database in a network without a way out; the agent is in both', () => {
    expect(compose.networks).toEqual({ 'database-net': { internal: true }, 'monitoring-net': null });
    const networks = Object.fromEntries(services.map(([name, service]) => [name, service.networks]));
    expect(networks['agent']).toEqual(['database-net', 'monitoring-net']);
    for (const name of ['postgres', 'redis', 'worker-redis-1']) expect(networks[name]).toEqual(['database-net']);
    for (const name of ['grafana', 'prometheus', 'loki', 'tempo', 'alloy'])
      expect(networks[name]).toEqual(['monitoring-net']);
  });

  it('holds no secret: what is one comes from a file of a volume', () => {
    for (const [name, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (!/PASSWORD|TOKEN|SECRET|DATABASE_URL|BROKER_FILE|BACKEND_FILE/.test(key)) continue;
        expect([name, key, value]).toEqual([
          name,
          expect.stringMatching(/FILE$/),
          expect.stringMatching(/^\/run\/(secrets|umbel)\//),
        ]);
      }
    }
    expect(read('docker-compose.yml')).not.toMatch(/:\/\/[^\s$]*:[^\s$]*@/);
  });

  it('mounts files that are there, and volumes that it declares', () => {
    for (const volume of services.flatMap(([, service]) => service.volumes ?? [])) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(existsSync(join(ROOT, source))).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  const version = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
  const hasCompose = version.status === 0;
  if (!hasCompose) process.stderr.write('SKIPPED: `docker compose config` (no Docker Compose on this machine)\n');
  (hasCompose ? it : it.skip)('is valid for Docker Compose, with each file beside it', () => {
    const check = (...args: string[]): void => {
      execFileSync('docker', ['compose', ...args, 'config', '-q'], { cwd: ROOT, stdio: 'pipe' });
    };
    check('--profile', 'demo');
    check('-f', 'docker-compose.yml', '-f', 'docker-compose.ports.yml', '--profile', 'demo');
  });

  (hasCompose ? it : it.skip)('joins docker-compose.existing.yml with somebody’s own file', () => {
    const files = [
      '-f',
      'test/stack/existing-stack.yml',
      '-f',
      'docker-compose.existing.yml',
      '--project-directory',
      '.',
    ];
    const env = { ...process.env, CELERY_BROKER_URL: 'redis://r', UMBEL_DATABASE_URL: 'postgres://p' };
    const text = execFileSync('docker', ['compose', ...files, 'config', '--format', 'json'], { cwd: ROOT, env });
    const { services: joined } = JSON.parse(text.toString()) as {
      services: Record<string, { environment: object; volumes: { target: string }[]; secrets: { source: string }[] }>;
    };
    const grafana = joined['grafana'];
    expect(grafana?.environment).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/admin_password',
      UMBEL_AGENT_URL: 'http://agent:5555',
    });
    expect(grafana?.secrets.map(({ source }) => source)).toEqual(['admin_password']);
    expect(grafana?.volumes.map(({ target }) => target)).toEqual(
      expect.arrayContaining(['/var/lib/grafana', '/run/umbel', '/var/lib/grafana/plugins/umbel-celery-app']),
    );
    for (const url of ['CELERY_BROKER_URL', 'UMBEL_DATABASE_URL']) {
      const refused = spawnSync('docker', ['compose', ...files, 'config', '-q'], {
        ...{ cwd: ROOT, encoding: 'utf8', env: { ...env, [url]: '' } },
      });
      expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining(url)]);
    }
  });
});

describe('docker-compose.existing.yml', () => {
  const existing = parse(read('docker-compose.existing.yml')) as Pick<ComposeFile, 'services'>;

  it('gives Grafana its token from where the data source reads it, and leaves /run/secrets to the stack’s own', () => {
    const targets = (existing.services['grafana']?.volumes ?? []).map((volume) => volume.split(':').at(-2));
    expect(targets).not.toContain('/run/secrets');
    const path = /\$__file\{(.+)\/umbel_grafana_token\}/.exec(read('provisioning/grafana/datasources/umbel.yaml'));
    expect(targets).toContain(path?.[1]);
    expect(compose.services['grafana']?.volumes).toContain(`secrets-grafana:${path?.[1] ?? ''}:ro`);
  });
});

describe('the images', () => {
  it.each(['agent', 'plugin'])('of the %s are built with every script that its build runs', (part) => {
    const { scripts } = JSON.parse(read(`${part}/package.json`)) as { scripts: { build: string } };
    const dockerfile = read(`${part}/Dockerfile`);
    const needed = [...scripts.build.matchAll(/\.\.\/(scripts\/[\w.-]+)/g)].map(([, path = '']) => path);
    expect(needed.length).toBeGreaterThan(0);
    for (const path of needed) expect(dockerfile).toContain(`COPY ${path} `);
  });
});

describe('the secrets', () => {
  const make = (directory: string, task: string[], env: Record<string, string> = {}): string =>
    execFileSync(process.execPath, [join(ROOT, 'provisioning/secrets/make.mjs'), ...task], {
      env: { ...process.env, CELERY_BROKER_URL: '', CELERY_RESULT_BACKEND: '', ...env, SECRETS_DIR: directory },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const all = (directory: string): Map<string, string> => {
    const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
    const files = paths.filter((path) => statSync(path).isFile());
    return new Map(files.map((path) => [path.slice(directory.length + 1), readFileSync(path, 'utf8')]));
  };

  it('are made once, differ, and reach those who need them', () => {
    const directory = mkdtempSync(join(tmpdir(), 'umbel-secrets-'));
    try {
      make(directory, []);
      const first = all(directory);
      const made = ['grafana/grafana_admin_password', 'grafana/umbel_grafana_token', 'postgres/postgres_password'];
      expect(new Set(made.map((name) => first.get(name))).size).toBe(made.length);
      for (const name of made) expect(first.get(name)).toMatch(/^[0-9a-f]{48}$/);
      expect(first.get('agent/tokens')).toBe(`grafana:admin:${first.get('grafana/umbel_grafana_token') ?? ''}\n`);
      expect(first.get('agent/database_url')).toContain(first.get('postgres/postgres_password'));
      expect(first.get('agent/broker')).toBe('demo://');
      make(directory, []);
      expect(all(directory)).toEqual(first);
      expect(make(directory, ['show'])).toContain(first.get('grafana/grafana_admin_password'));
      make(directory, ['renew', 'grafana/umbel_grafana_token']);
      const renewed = all(directory);
      const differing = [...renewed].filter(([name, text]) => first.get(name) !== text).map(([name]) => name);
      expect(differing.sort()).toEqual(['agent/tokens', 'grafana/umbel_grafana_token']);
      make(directory, ['demo']);
      expect(all(directory).get('agent/broker')).toBe(first.get('demo/redis_url'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('of a stack of one’s own are the URLs that were given and a token, which can be renewed alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'umbel-secrets-'));
    // What `docker compose run umbel-secrets …` adds its words to.
    const { entrypoint = [] } =
      (parse(read('docker-compose.existing.yml')) as ComposeFile).services['umbel-secrets'] ?? {};
    const run = (env: Record<string, string>, ...more: string[]): Map<string, string> => {
      make(directory, [...entrypoint.slice(2), ...more], env);
      return all(directory);
    };
    const given = { CELERY_BROKER_URL: 'redis://mine', UMBEL_DATABASE_URL: 'postgres://mine' };
    try {
      const first = run(given);
      const token = first.get('grafana/umbel_grafana_token') ?? '';
      expect(token).toMatch(/^[0-9a-f]{48}$/);
      expect(Object.fromEntries(first)).toEqual({
        ...{ 'agent/broker': 'redis://mine', 'agent/result_backend': '', 'agent/database_url': 'postgres://mine' },
        ...{ 'agent/tokens': `grafana:admin:${token}\n`, 'grafana/umbel_grafana_token': token },
      });
      expect(run(given)).toEqual(first);
      const renewed = run(given, 'renew', 'grafana/umbel_grafana_token');
      const other = renewed.get('grafana/umbel_grafana_token') ?? '';
      expect(other).toMatch(/^[0-9a-f]{48}$/);
      expect(other).not.toBe(token);
      const differing = { 'agent/tokens': `grafana:admin:${other}\n`, 'grafana/umbel_grafana_token': other };
      expect(Object.fromEntries(renewed)).toEqual({ ...Object.fromEntries(first), ...differing });
      const moved = run({ ...given, UMBEL_DATABASE_URL: 'postgres://new' });
      expect(Object.fromEntries(moved)).toEqual({
        ...Object.fromEntries(renewed),
        'agent/database_url': 'postgres://new',
      });
      expect(() => run(given, 'renew')).toThrow(/renew needs the path/);
      expect(() => run(given, 'renew', 'agent/nothing')).toThrow(/no secret agent\/nothing/);
      expect(() => run(given, 'rotate')).toThrow(/rotate is unknown/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  const mine = { CELERY_BROKER_URL: 'redis://mine', UMBEL_DATABASE_URL: 'postgres://mine' };

  it.each<[string, string, string[], Readonly<Record<string, string>>]>([
    ['the stack without a broker', 'docker-compose.yml', [], {}],
    ['the stack with a broker', 'docker-compose.yml', [], mine],
    ['a stack of one’s own', 'docker-compose.existing.yml', ['existing'], mine],
  ])('of %s are what the agent starts with', (_, file, task, given) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbel-secrets-'));
    try {
      make(directory, task, given);
      const { environment = {} } =
        (parse(read(file), { merge: true, maxAliasCount: -1 }) as ComposeFile).services['agent'] ?? {};
      const settings = Object.entries(environment).filter(([, value]) => value.startsWith('/run/secrets/'));
      const { config } = loadConfig([], Object.fromEntries(settings), {
        hostname: 'agent',
        checkBrokerUrls: parseBrokerUrls,
        readFile: (path) => readFileSync(path.replace('/run/secrets', join(directory, 'agent')), 'utf8'),
      });
      expect(config.broker.url).toBe(given['CELERY_BROKER_URL'] ?? 'demo://');
      expect(config.broker.resultBackend).toBeUndefined();
      expect(settings.length).toBeGreaterThanOrEqual(4);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('point the agent to the broker that was given last, to the demo’s while its profile is on, or to none', () => {
    const directory = mkdtempSync(join(tmpdir(), 'umbel-secrets-'));
    const broker = (): string => all(directory).get('agent/broker') ?? '';
    const demo = (): string => all(directory).get('demo/redis_url') ?? '';
    try {
      make(directory, []);
      make(directory, ['demo']);
      const before = demo();
      make(directory, ['renew', 'demo/redis_password']);
      expect(demo()).not.toBe(before);
      expect(broker()).toBe(demo());
      make(directory, ['renew', 'grafana/umbel_grafana_token']);
      expect(broker()).toBe(demo());
      make(directory, []);
      expect(broker()).toBe('demo://');
      const mine = { CELERY_BROKER_URL: 'redis://mine', CELERY_RESULT_BACKEND: 'redis://results' };
      make(directory, [], mine);
      make(directory, ['renew', 'postgres/postgres_password']);
      make(directory, []);
      make(directory, ['demo']);
      expect(broker()).toBe('redis://mine');
      expect(all(directory).get('agent/result_backend')).toBe('redis://results');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('Grafana’s data sources', () => {
  interface Source {
    readonly uid: string;
    readonly name: string;
    readonly correlations?: readonly Readonly<Record<string, unknown>>[];
  }
  const directory = join(ROOT, 'provisioning/grafana/datasources');
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
  const sources = files.flatMap((text) => (parse(text) as { datasources: Source[] }).datasources);

  it('have the uids that the plugin links to, and correlations that say what they are', () => {
    expect(sources.map(({ uid }) => uid)).toEqual(
      expect.arrayContaining(['umbel', 'prometheus', 'loki', 'tempo', 'alertmanager']),
    );
    const uids = new Set(sources.map(({ uid }) => uid));
    for (const { correlations = [] } of sources) {
      for (const { type, targetUID, label, description } of correlations) {
        if (type !== 'external') expect(uids).toContain(targetUID);
        expect([label, description]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
      }
    }
    // A single `$` would be replaced by a variable of the environment, mostly by nothing.
    for (const text of files) {
      const rest = text.replace(/^\s*#.*$/gm, '').replaceAll('$$', '');
      const named = [...rest.matchAll(/\$(\w+|\{\w+\})/g)].map(([, name]) => name);
      expect(named.filter((name) => !/^([A-Z_]+_URL|__file|__env)$/.test(name ?? ''))).toEqual([]);
    }
  });
});
