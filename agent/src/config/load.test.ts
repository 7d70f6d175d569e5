import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBrokerUrls } from '../transport/url.ts';
import { ConfigError } from './config.ts';
import { FOREIGN, foreignEnvironmentName } from './foreign.ts';
import { helpText, printConfig } from './help.ts';
import { type Loaded, loadConfig, requestedAction } from './load.ts';
import { FLAGS, VARIABLES } from './names.ts';
import { environmentName } from './option.ts';
import { ALL_OPTIONS } from './options.ts';

const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/db': 'postgres://u:file-password@h/db\n',
  '/run/secrets/empty': '\n',
  '/etc/ca.pem': 'PEM',
};

function load(argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Loaded {
  return loadConfig(argv, env, {
    hostname: 'box',
    checkBrokerUrls: parseBrokerUrls,
    readFile: (path) => {
      const content = FILES[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}

function problems(argv: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    load(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('--slice', () => {
  it('is the number of the slice and of all slices', () => {
    expect(load(['--slice', '2/3']).config.agent.slice).toEqual({ index: 2, of: 3 });
    expect(load().config.agent.slice).toEqual({ index: 1, of: 1 });
  });

  it.each(['0/3', '4/3', '1/0', '1/65', '1', '1/3/5', 'a/b', '-1/3'])('%s is refused', (value) => {
    expect(problems([`--slice=${value}`])).toEqual([
      `--slice: "${value}" does not fit; give the number of the slice and of all slices, e.g. 1/3, with at most 64`,
    ]);
  });

  it('is refused on RabbitMQ, which has one active consumer', () => {
    expect(problems(['--slice', '1/2', '--broker', 'amqp://h//'])).toEqual([
      expect.stringMatching(/^--slice: RabbitMQ/),
    ]);
    expect(problems(['--slice', '1/1', '--broker', 'amqp://h//'])).toEqual([]);
  });
});

describe('--result-backend', () => {
  it('is none where its file is empty', () => {
    expect(load([], { UMBEL_RESULT_BACKEND_FILE: '/run/secrets/empty' }).config.broker.resultBackend).toBeUndefined();
  });
});

describe('loadConfig', () => {
  it('has safe defaults', () => {
    const { config, warnings } = load();
    expect(warnings).toEqual([]);
    expect(config.http).toMatchObject({ port: 5555, address: '127.0.0.1', urlPrefix: '', xheaders: false });
    expect(config.access).toMatchObject({ basicAuth: [], tokens: [], anonymous: 'auto', unauthenticatedApi: false });
    expect(config.broker.url).toBeUndefined();
    expect(config.history).toMatchObject({ enabled: true, retentionDays: 30, dataDir: './data' });
    expect(config.agent.name).toBe('box');
    expect(Object.isFrozen(config) && Object.isFrozen(config.metrics.queues)).toBe(true);
  });

  it.each<[string, string[], Record<string, string>, (config: Loaded['config']) => unknown, unknown]>([
    ['--name value', ['--port', '80'], {}, (c) => c.http.port, 80],
    ['--name=value', ['--port=80'], {}, (c) => c.http.port, 80],
    ['underscores', ['--url_prefix=/flower/'], {}, (c) => c.http.urlPrefix, '/flower'],
    ['a prefix without slash', ['--url_prefix=a/b'], {}, (c) => c.http.urlPrefix, '/a/b'],
    ['short', ['-b', 'redis://h/1'], {}, (c) => c.broker.url, 'redis://h/1'],
    ['short, attached', ['-bredis://h/1'], {}, (c) => c.broker.url, 'redis://h/1'],
    ['the last flag', ['--port', '80', '--port', '81'], {}, (c) => c.http.port, 81],
    ['--no-', ['--no-history'], {}, (c) => c.history.enabled, false],
    ['a switch with a word', ['--history', 'off'], {}, (c) => c.history.enabled, false],
    ['a switch before a flag', ['--created-series', '--port', '1'], {}, (c) => c.metrics.createdSeries, true],
    ['UMBEL_', [], { UMBEL_PORT: '1' }, (c) => c.http.port, 1],
    ['FLOWER_', [], { FLOWER_PORT: '2' }, (c) => c.http.port, 2],
    ['CE_', [], { CE_PORT: '3' }, (c) => c.http.port, 3],
    ['UMBEL_ before FLOWER_', [], { FLOWER_PORT: '2', UMBEL_PORT: '1' }, (c) => c.http.port, 1],
    ['flag before UMBEL_', ['--port', '9'], { UMBEL_PORT: '1' }, (c) => c.http.port, 9],
    ['an empty variable', [], { UMBEL_PORT: '', FLOWER_PORT: '2' }, (c) => c.http.port, 2],
    ['CELERY_BROKER_URL', [], { CELERY_BROKER_URL: 'redis://h/2' }, (c) => c.broker.url, 'redis://h/2'],
    [
      'CELERY_RESULT_BACKEND',
      [],
      { CELERY_RESULT_BACKEND: 'redis://h/3' },
      (c) => c.broker.resultBackend,
      'redis://h/3',
    ],
    ['a time', ['--worker-timeout', '2m'], {}, (c) => c.metrics.workerTimeoutMs, 120_000],
    ['a plain number in seconds', ['--worker-timeout', '90'], {}, (c) => c.metrics.workerTimeoutMs, 90_000],
    ['days', ['--retention-days', '2w'], {}, (c) => c.history.retentionDays, 14],
    ['a size', ['--buffer-memory', '8MB'], {}, (c) => c.limits.bufferMemoryBytes, 8 * 1024 ** 2],
    ['buckets with inf', ['--buckets', '1,2.5,inf'], {}, (c) => c.metrics.exporterRuntimeBuckets, [1, 2.5]],
    ['inherited buckets', ['--runtime-buckets', '1,2'], {}, (c) => c.metrics.flowerRuntimeBuckets, [1, 2]],
    ['lists', ['-Q', 'a,b', '--queues', 'c'], {}, (c) => c.metrics.queues, ['a', 'b', 'c']],
    ['labels', ['--static-label', 'a=b', '--static-label=c=d'], {}, (c) => c.metrics.staticLabels, { a: 'b', c: 'd' }],
    ['labels of a variable', [], { CE_STATIC_LABEL: 'a=b c=d' }, (c) => c.metrics.staticLabels, { a: 'b', c: 'd' }],
    ['--debug', ['--debug'], { FLOWER_LOGGING: 'error' }, (c) => c.agent.logLevel, 'debug'],
    ['log level of Python', ['--logging=WARNING'], {}, (c) => c.agent.logLevel, 'warn'],
    [
      'a JSON part',
      ['--broker-transport-options', '{"fanout_prefix": false, "sep": ":"}'],
      {},
      (c) => [c.broker.fanoutPrefix, c.broker.sep],
      [false, ':'],
    ],
    [
      'the single flag over JSON',
      ['--broker-transport-options', '{"sep": ":"}', '--sep', '-'],
      {},
      (c) => c.broker.sep,
      '-',
    ],
    [
      'pairs',
      ['--broker-transport-option', 'master_name=m', '--broker-transport-option', 'priority_steps=[0,5]'],
      {},
      (c) => [c.broker.masterName, c.broker.prioritySteps],
      ['m', [0, 5]],
    ],
    [
      'TLS parts',
      ['--broker-use-ssl', '{"ssl_cert_reqs": 2, "ssl_ca_certs": "/etc/ca.pem"}'],
      {},
      (c) => [c.broker.sslCertReqs, c.broker.sslCaCerts],
      ['required', '/etc/ca.pem'],
    ],
    [
      "TLS parts in celery-exporter's way",
      ['--broker-ssl-option', 'ssl_cert_reqs=none', '--broker-ssl-option', 'ssl_ca_certs=/etc/ca.pem', '--port', '1'],
      {},
      (c) => [c.broker.sslCertReqs, c.broker.sslCaCerts, c.http.port],
      ['none', '/etc/ca.pem', 1],
    ],
    [
      'a secret from a file',
      [],
      { UMBEL_DATABASE_URL_FILE: '/run/secrets/db' },
      (c) => c.history.databaseUrl,
      'postgres://u:file-password@h/db',
    ],
    [
      'a secret from a file by flag',
      ['--database-url-file', '/run/secrets/db'],
      {},
      (c) => c.history.databaseUrl,
      'postgres://u:file-password@h/db',
    ],
  ])('takes %s', (_, argv, env, pick, expected) => {
    expect(pick(load(argv, env).config)).toEqual(expected);
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['an unknown flag', ['--prot', '1'], {}, /^--prot: unknown option; did you mean --port\?$/],
    ['a port out of range', ['--port', '65536'], {}, /^--port: "65536" .* 0 to 65535$/],
    ['a word as port', [], { FLOWER_PORT: 'x' }, /^FLOWER_PORT: "x"/],
    ['a missing value', ['--port', '--debug'], {}, /^--port: needs a value/],
    ['a stray word', ['run'], {}, /^run: not an option/],
    ['a value for --no-', ['--no-history=maybe'], {}, /takes no value/],
    ['an unknown broker scheme', ['-b', 'sqs://'], {}, /^-b: .*Redis or RabbitMQ/],
    [
      'an unknown broker scheme of a variable',
      [],
      { CELERY_BROKER_URL: 'sqs://' },
      /^CELERY_BROKER_URL: .*Redis or RabbitMQ/,
    ],
    ['a sentinel without master', ['-b', 'sentinel://h'], {}, /master/],
    ['a bad JSON', ['--broker-transport-options', '{x'], {}, /^--broker-transport-options: \*\*\* does not fit/],
    [
      'a file that is missing',
      [],
      { UMBEL_BROKER_FILE: '/nope' },
      /^UMBEL_BROKER_FILE: the file \/nope cannot be read \(ENOENT\)$/,
    ],
    ['an empty file', [], { UMBEL_DATABASE_URL_FILE: '/run/secrets/empty' }, /is empty/],
    [
      'a value and its file',
      [],
      { UMBEL_DATABASE_URL: 'postgres://h', UMBEL_DATABASE_URL_FILE: '/run/secrets/db' },
      /keep one/,
    ],
    ['an empty file of a broker', [], { UMBEL_BROKER_FILE: '/run/secrets/empty' }, /is empty/],
    ['a falling bucket', ['--buckets', '2,1'], {}, /rising/],
    ['a bad label', ['--static-label', '1a=b'], {}, /label name/],
    ['an empty address', ['--address='], {}, /0\.0\.0\.0/],
    ['a certificate without key', ['--broker-ssl-certfile', '/etc/ca.pem'], {}, /needs its key/],
  ])('refuses %s', (_, argv, env, message) => {
    expect(problems(argv, env)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['auth', 'x', /--oidc-issuer/],
    ['auth_provider', 'x', /--oidc-issuer/],
    ['basic_auth', 'x', /user:password/],
    ['certfile', '/etc/ca.pem', /needs its key/],
    ['keyfile', '/etc/ca.pem', /needs its key/],
    ['ca_certs', '/etc/ca.pem', /--certfile/],
  ])('does not start open where --%s asked for protection', (name, value, advice) => {
    expect(problems([`--${name}=${value}`])).toEqual([expect.stringMatching(advice)]);
    expect(problems([], { [`FLOWER_${name.toUpperCase()}`]: value })).toHaveLength(1);
  });

  it('reports all problems at once', () => {
    const all = problems(['--port', 'x', '--retention-days=0', '--nope', '--basic_auth=p'], {
      UMBEL_MAX_WORKERS: '0',
    });
    expect(all).toHaveLength(5);
  });

  it('takes the options of control, queue lengths and results without a warning', () => {
    const { config, warnings } = load(
      ['--control-exchange', 'ctl', '--queues', 'a,b', '--broker-transport-options', '{"sep": ":"}'],
      { CELERY_RESULT_BACKEND: 'redis://h/3', UMBEL_PRIORITY_STEPS: '0,9' },
    );
    expect(warnings).toEqual([]);
    expect(config.broker.resultBackend).toBe('redis://h/3');
    expect(config.broker).toMatchObject({ controlExchange: 'ctl', sep: ':', prioritySteps: [0, 9] });
  });

  it('listens where others reach it only with a sign-in, or when told that this is meant', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      expect(load(['--address', address]).warnings).toEqual([]);
    }
    for (const address of ['0.0.0.0', '::', '10.0.0.1', 'example.org']) {
      expect(problems(['--address', address])).toEqual([expect.stringMatching(/ANYONE.*--anonymous viewer/)]);
      for (const meant of ['--basic-auth=a:b', '--tokens=a:viewer:b', '--anonymous=viewer', '--unauthenticated-api']) {
        expect(problems(['--address', address, meant])).toEqual([]);
      }
    }
    expect(problems(['--address', '0.0.0.0', '--unix-socket', '/run/umbel.sock'])).toEqual([]);
  });

  it('accepts every option of Flower, celery-exporter and Celery', () => {
    for (const option of FOREIGN) {
      if (option.meaning.startsWith('Refused')) continue;
      const value = option.isSwitch ? 'true' : '1';
      if (!option.environmentOnly) expect(problems([`--${option.name}=${value}`])).toEqual([]);
      const variable = foreignEnvironmentName(option);
      if (variable !== undefined) expect(problems([], { [variable]: value })).toEqual([]);
    }
    expect(load(['-A', 'proj', 'flower', '--persistent=True', '--max_tasks=5']).warnings).toHaveLength(3);
  });

  // The inventories of flower/options.py (2.2) and of celery-exporter's command line.
  it.each(
    (
      'port address unix_socket url_prefix xheaders certfile keyfile ca_certs basic_auth auth auth_provider oauth2_key ' +
      'oauth2_secret oauth2_redirect_uri cookie_secret read_only max_tasks max_workers persistent db state_save_interval ' +
      'enable_events inspect_timeout purge_offline_workers broker_api task_runtime_metric_buckets tasks_columns ' +
      'natural_time auto_refresh format_task conf debug logging log_file_prefix log_to_stderr log_file_max_size ' +
      'log_file_num_backups log_rotate_mode log_rotate_when log_rotate_interval'
    ).split(' '),
  )("knows Flower's %s as flag and variable", (name) => {
    expect(FLAGS.has(name.replaceAll('_', '-'))).toBe(true);
    expect(VARIABLES.has(`FLOWER_${name.toUpperCase()}`)).toBe(true);
  });

  it.each(
    (
      'broker-url broker-transport-option broker-ssl-option accept-content retry-interval host port buckets ' +
      'queue-wait-buckets log-level worker-timeout purge-offline-worker-metrics generic-hostname-task-sent-metric ' +
      'generic-hostname-worker-task-metric queues metric-prefix default-queue-name static-label'
    ).split(' '),
  )("knows celery-exporter's %s as flag and variable", (name) => {
    expect(FLAGS.has(name)).toBe(true);
    expect(VARIABLES.has(`CE_${name.toUpperCase().replaceAll('-', '_')}`)).toBe(true);
  });

  it('ignores what Kubernetes puts into the environment, and says so', () => {
    const { config, warnings } = load([], {
      UMBEL_PORT: 'tcp://10.0.0.1:5555',
      UMBEL_SERVICE_HOST: '10.0.0.1',
      UMBEL_PORT_5555_TCP: 'tcp://10.0.0.1:5555',
    });
    expect(config.http.port).toBe(5555);
    expect(warnings).toEqual([expect.stringContaining('service link')]);
  });

  it('warns of unknown variables of its own, with the likely name', () => {
    expect(load([], { UMBEL_PROT: '1' }).warnings).toEqual(['UMBEL_PROT: unknown, ignored; did you mean UMBEL_PORT?']);
  });

  it('hides secrets in the printed configuration and in problems', () => {
    const argv = ['-b', 'redis://u:s3cr@et/@h/0', '--database-url', 'postgres://u:s3cret@h/d?password=s3cret'];
    const env = { UMBEL_SENTINEL_KWARGS: '{"password": "s3cret"}', CELERY_RESULT_BACKEND: 'redis://:s3cret@h' };
    let printed = '';
    try {
      printed = printConfig(loadConfig(argv, env, { hostname: 'box', readFile: () => '' }).values);
    } catch (error) {
      printed = String(error);
    }
    expect(printed).toContain('UMBEL_PORT=5555');
    expect(printed).toContain('# CELERY_RESULT_BACKEND');
    expect(printed).not.toMatch(/s3cr/);
    expect(problems(['--database-url', 'mysql://u:s3cret@h']).join()).not.toMatch(/s3cret/);
  });

  it('never throws anything but ConfigError', () => {
    const word = fc.oneof(
      fc.constantFrom(...[...FLAGS.keys()].map((name) => `--${name}`)),
      fc.constantFrom(...[...FLAGS.keys()].map((name) => `--${name}=`)),
      fc.string(),
      fc.json(),
      fc.constantFrom('-b', '-Q', '-A', '--', '-', '=', '--=', '__proto__', '--constructor', '{"__proto__": 1}'),
    );
    const variables = fc.dictionary(fc.constantFrom(...VARIABLES.keys()), fc.oneof(fc.string(), fc.json()));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), variables, (argv, env) => {
        expect(() => problems(argv, env)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it('reads back every default as it shows it', () => {
    for (const { option } of ALL_OPTIONS) {
      if (option.default === undefined || option.name === 'sep') continue;
      const written = option.type.show(option.default);
      if (written === 'none' || written === "''") continue;
      const { values } = load([], { [environmentName(option.name)]: written });
      expect([option.name, values.find((one) => one.option === option)?.value]).toEqual([option.name, option.default]);
    }
  });
});

describe('the command line', () => {
  it('tells the action asked for, whatever else is wrong', () => {
    expect(requestedAction(['--nope', '--version', '-h'])).toBe('help');
    expect(requestedAction(['-V'])).toBe('version');
    expect(requestedAction(['--port', '1'])).toBeUndefined();
  });

  it('names every option in its help', () => {
    const help = helpText();
    for (const { option } of ALL_OPTIONS) expect(help).toContain(option.name);
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('has no name twice', () => {
    const flags = ALL_OPTIONS.flatMap(({ option }) => [option.name, ...(option.aliases ?? [])]);
    expect(new Set(flags).size).toBe(flags.length);
  });
});
