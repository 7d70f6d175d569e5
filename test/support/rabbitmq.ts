import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { temporaryDirectory } from './cleanup.ts';
import { testAmqpUrl } from './environment.ts';
import { freePort } from './ports.ts';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import { waitFor } from './wait.ts';

export interface RabbitMqOptions {
  /** Lines of rabbitmq.conf beside those of the harness, e.g. TLS. */
  readonly config?: (port: number) => readonly string[];
  /** Plugins to enable, e.g. `rabbitmq_management`, which then listens on `managementPort`. */
  readonly plugins?: readonly string[];
}

export interface RabbitMqServer {
  /** `amqp://guest:guest@127.0.0.1:PORT` without a virtual host. */
  readonly url: string;
  readonly port: number;
  readonly managementPort: number;
  pid(): number;
  /** Ends it in good order; what is durable stays. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data. */
  start(): Promise<void>;
  /** Runs rabbitmqctl (one to two seconds each). */
  ctl(...args: string[]): string;
}

/** Debian's wrapper in the PATH would change to the user rabbitmq and its directories. */
const BIN = ['/usr/lib/rabbitmq/bin', '/usr/local/sbin', '/opt/homebrew/sbin'].find((path) =>
  existsSync(join(path, 'rabbitmq-server')),
);
const program = (name: string): string => (BIN === undefined ? name : join(BIN, name));

/**
 * An own RabbitMQ node on free loopback ports with its data, name, cookie and epmd to itself. Boots in five to ten
 * seconds. One node is enough for quorum queues.
 */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<RabbitMqServer> {
  const { server, booted } = await prepareRabbitMq(options);
  await booted;
  return server;
}

/** The same, without waiting until the node answers. */
export async function prepareRabbitMq(
  options: RabbitMqOptions = {},
): Promise<{ readonly server: RabbitMqServer; readonly booted: Promise<void> }> {
  const home = await temporaryDirectory('rabbitmq');
  const [port, managementPort, distPort, epmdPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  await mkdir(join(home, 'data'));
  await writeFile(join(home, 'rabbitmq.conf'), settingsText(options, port, managementPort));
  await writeFile(join(home, 'enabled_plugins'), `[${(options.plugins ?? []).join(',')}].\n`);
  await writeFile(join(home, '.erlang.cookie'), `UMBEL${port}`);
  await chmod(join(home, '.erlang.cookie'), 0o400);
  const env = {
    HOME: home,
    RABBITMQ_NODENAME: `umbel${port}@localhost`,
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: home,
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_ALLOW_INPUT: '1', // the node takes the place of the shell, so that it can be ended by its pid
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput +sbwt none +S 2:2',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CTL_ERL_ARGS: '+S 1:1',
  };
  startProcess({ name: `epmd ${epmdPort}`, command: 'epmd', args: ['-port', String(epmdPort)], env });
  const launch = async (): Promise<ManagedProcess> => {
    const node = startProcess({
      name: `rabbitmq ${port}`,
      command: program('rabbitmq-server'),
      args: [],
      env,
      cwd: home,
    });
    await node.printed(/Server startup complete|completed with \d+ plugins/, 180_000);
    return node;
  };
  let current: ManagedProcess | undefined;
  const start = async (): Promise<void> => {
    if (current?.running() === true) return;
    current = undefined;
    current = await launch();
  };
  const server: RabbitMqServer = {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    managementPort,
    pid: () => current?.pid ?? -1,
    stop: async () => {
      await current?.stop(30_000);
    },
    kill: async () => {
      await current?.kill('SIGKILL');
      await current?.stop();
    },
    start,
    ctl: (...args) =>
      execFileSync(program('rabbitmqctl'), ['-q', ...args], { env: { ...process.env, ...env }, encoding: 'utf8' }),
  };
  return { server, booted: start() };
}

/** rabbitmq.conf */
function settingsText({ plugins = [], config }: RabbitMqOptions, port: number, managementPort: number): string {
  const settings = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'disk_free_limit.absolute = 1MB',
    'log.console = true',
    'log.console.level = info',
    'log.file = false',
    ...(plugins.includes('rabbitmq_management')
      ? [
          'management.tcp.ip = 127.0.0.1',
          `management.tcp.port = ${managementPort}`,
          'collect_statistics_interval = 500',
        ]
      : []),
    ...(config?.(port) ?? []),
  ];
  return `${settings.join('\n')}\n`;
}

/** The RabbitMQ that all test files share, once it answers. Use own virtual hosts, exchanges and queues. */
export async function testRabbitMq(): Promise<string> {
  const url = testAmqpUrl();
  await waitFor(
    async () => {
      const model = await connect(url);
      await model.close();
      return true;
    },
    90_000,
    `RabbitMQ at ${new URL(url).host}`,
  );
  return url;
}
