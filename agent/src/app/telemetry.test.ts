import { describe, expect, it } from '@jest/globals';
import { freePort } from '../../../test/support/ports.ts';
import { startOtlpReceiver } from '../../../test/support/otlp-receiver.ts';
import { ConfigError } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/help.ts';
import { WorkerState } from '../core/state/worker.ts';
import { workerLog } from '../core/telemetry/logs.ts';
import { otlpCheck } from '../doctor/otlp-check.ts';
import { openExporters } from '../sinks/otlp/exporters.ts';
import { testLogger } from '../sinks/otlp/otlp.testkit.ts';
import { otlpOptions } from './settings.ts';
import { otlpReceivers } from './telemetry.ts';

type Environment = Readonly<Record<string, string>>;

const load = (argv: readonly string[], env: Environment = {}) =>
  loadConfig(argv, env, { hostname: 'h', readFile: (path) => `content=of%20${path}\n` });

const optionsOf = (argv: readonly string[], env?: Environment) => otlpOptions(load(argv, env).config, '1.2.3');

function problemsOf(argv: readonly string[], env?: Environment): readonly string[] {
  try {
    load(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
}

describe('the options', () => {
  it('send nothing unless a receiver is named', () => {
    expect(optionsOf([])).toBeUndefined();
    expect(optionsOf(['--otlp-sample-ratio', '0.5', '--otlp-headers', 'a=b'])).toBeUndefined();
  });

  it('append the path of the signal to the base, and take a signal’s own URL as it is', () => {
    const base = ['--otlp-endpoint', 'http://alloy:4318/'];
    expect(optionsOf(base)).toMatchObject({
      ...{ tracesUrl: 'http://alloy:4318/v1/traces', logsUrl: 'http://alloy:4318/v1/logs' },
      ...{ protocol: 'http/protobuf', compression: 'gzip', timeoutMs: 10_000, sampleRatio: 1, headers: {} },
      ...{ resource: { 'service.name': 'celery' }, version: '1.2.3', queueBytes: 8 * 1024 ** 2 },
    });
    const loki = 'http://loki:3100/otlp/v1/logs';
    expect(optionsOf([...base, '--otlp-logs-endpoint', loki])).toMatchObject({ logsUrl: loki });
    expect(optionsOf([...base, '--otlp-traces-endpoint', 'none'])).toMatchObject({ tracesUrl: undefined });
    expect(optionsOf(['--otlp-logs-endpoint', loki])).toMatchObject({ tracesUrl: undefined, logsUrl: loki });
    expect(optionsOf(['--otlp-logs-endpoint', 'none', '--otlp-traces-endpoint', 'none'])).toBeUndefined();
  });

  it('go by OpenTelemetry’s names of environment variables too, after our own', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://gateway.example/otlp',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi==,x-scope-orgid=team',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop,deployment.environment=prod%2Ceu',
    };
    expect(optionsOf([], env)).toMatchObject({
      ...{ tracesUrl: 'https://gateway.example/otlp/v1/traces', logsUrl: 'https://gateway.example/otlp/v1/logs' },
      ...{ timeoutMs: 2500, compression: 'none', protocol: 'http/json', sampleRatio: 0.25 },
      headers: { authorization: 'Basic YTpi==', 'x-scope-orgid': 'team' },
      resource: { 'service.name': 'shop', 'deployment.environment': 'prod,eu' },
    });
    const named = { ...env, OTEL_SERVICE_NAME: 'orders', UMBEL_OTLP_ENDPOINT: 'http://alloy:4318' };
    expect(optionsOf([], named)).toMatchObject({
      tracesUrl: 'http://alloy:4318/v1/traces',
      resource: { 'service.name': 'orders', 'deployment.environment': 'prod,eu' },
    });
  });

  it('keep the headers secret, which may stand in a file', () => {
    const loaded = load(['--otlp-endpoint', 'http://u:pass@alloy:4318', '--otlp-headers', 'authorization=hidden']);
    expect(printConfig(loaded.values)).not.toMatch(/hidden|pass@/);
    expect(optionsOf([], { UMBEL_OTLP_ENDPOINT: 'http://a:1', UMBEL_OTLP_HEADERS_FILE: '/run/s' })?.headers).toEqual({
      content: 'of /run/s',
    });
  });

  it.each([
    [['--otlp-endpoint', 'alloy:4318'], /--otlp-endpoint: .*give a URL like http:\/\/alloy:4318/],
    [['--otlp-logs-endpoint', 'loki'], /--otlp-logs-endpoint: .*or none/],
    [['--otlp-protocol', 'grpc'], /--otlp-protocol: .*gRPC is not spoken; give http\/protobuf/],
    [['--otlp-sample-ratio', '1.5'], /--otlp-sample-ratio: .*give a number from 0 \(none\) to 1/],
    [['--otlp-sample-ratio', ''], /--otlp-sample-ratio: .*give a number/],
    [['--otlp-timeout', '5m'], /--otlp-timeout: /],
    [['--otlp-headers', 'Bearer secret'], /^(?!.*secret).*--otlp-headers: .*give headers as NAME=VALUE/],
    [['--otlp-headers', 'a=50%'], /--otlp-headers: .*write % as %25/],
    [['--otlp-resource-attributes', 'prod'], /--otlp-resource-attributes: .*give attributes as NAME=VALUE/],
    [['--otlp-queue-size', '10KB'], /--otlp-queue-size: .*give a size from 1MB/],
  ])('refuse %j and say what to write', (argv, problem) => {
    expect(problemsOf(argv)).toEqual([expect.stringMatching(problem)]);
  });

  it('warn of the port for gRPC', () => {
    expect(load(['--otlp-endpoint', 'http://tempo:4317']).warnings).toEqual([expect.stringContaining('has 4318')]);
  });
});

describe('the doctor', () => {
  const check = async (argv: readonly string[]) => {
    const findings = await otlpCheck(() => otlpReceivers(load(argv).config)).run();
    return findings.map(({ verdict, found, advice }) => [verdict, found, advice].join(' | '));
  };

  it('sees a receiver that takes traces and logs, and one that refuses them', async () => {
    const receiver = await startOtlpReceiver();
    const argv = ['--otlp-endpoint', receiver.url];
    expect(await check(argv)).toEqual([
      `ok | ${receiver.url}/v1/traces takes traces. | `,
      `ok | ${receiver.url}/v1/logs takes logs. | `,
    ]);
    expect([receiver.spans, receiver.logs]).toEqual([[], []]);
    receiver.manner = { status: 401 };
    expect((await check(argv))[0]).toMatch(/^failed \| .* does not take traces: HTTP 401 .* \| .*--otlp-headers\.$/);
    receiver.manner = { status: 404 };
    expect((await check(argv))[1]).toMatch(/HTTP 404 .*--otlp-logs-endpoint/);
  });

  it('takes Loki’s answer to an empty batch for what it is', async () => {
    const receiver = await startOtlpReceiver();
    receiver.manner = { status: 422, body: '\u0012Derror at least one valid stream is required for ingestion' };
    expect((await check(['--otlp-endpoint', receiver.url]))[1]).toMatch(/^ok \| /);
    receiver.manner = { status: 422, body: 'no' };
    expect((await check(['--otlp-endpoint', receiver.url]))[1]).toMatch(/^failed \| .*HTTP 422/);
  });

  it('sees one that is not there, and that none is named', async () => {
    const gone = await check(['--otlp-logs-endpoint', `http://127.0.0.1:${await freePort()}/v1/logs`]);
    expect(gone).toEqual([expect.stringMatching(/^failed \| .* does not take logs: .*ECONNREFUSED.* \| Check/)]);
    expect(await check([])).toEqual([expect.stringMatching(/^skipped .*--otlp-endpoint/)]);
  });
});

it('speaks JSON where that is asked for', async () => {
  const receiver = await startOtlpReceiver();
  const argv = ['--otlp-endpoint', receiver.url, '--otlp-protocol', 'http/json', '--otlp-compression', 'none'];
  const options = optionsOf(argv);
  if (options === undefined) throw new Error('nothing is sent');
  const { logs } = openExporters(options, testLogger());
  const worker = workerLog(
    'lost',
    Object.assign(new WorkerState('w@h'), { lastSeenMs: 1_000_000, toldFreq: 10 }),
    undefined,
  );
  expect(await logs?.export([worker])).toEqual({ kind: 'taken' });
  const [request] = receiver.requests;
  expect(request?.headers).toMatchObject({ 'content-type': 'application/json' });
  expect(request?.headers['content-encoding']).toBeUndefined();
  const record = { timeUnixNano: '1030000000000', severityText: 'ERROR', body: { stringValue: worker.body } };
  const scopeLogs = [{ scope: { name: 'umbel', version: '1.2.3' }, logRecords: [record] }];
  expect(request?.json).toMatchObject({ resourceLogs: [{ scopeLogs }] });
});
