import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describeTransport } from '../conformance.testkit.ts';
import type { BrokerHarness } from '../conformance.testkit.ts';
import { systemClock } from '../../lib/clock.ts';
import { parseBrokerUrls } from '../url.ts';
import type { RedisUrl } from '../url.ts';
import { openRedisTransport } from './transport.ts';
import type { RedisTransportOptions } from './transport.ts';
import { RedisServer, freePort, temporaryDirectory } from './redis-server.testkit.ts';
import type { RedisOptions } from 'ioredis';

interface Setup {
  readonly url: string;
  readonly lines?: readonly string[];
  readonly client?: RedisOptions;
  readonly options?: RedisTransportOptions;
  /** `KEY` stands for the routing key. */
  readonly channel: string;
}

function redisUrls(text: string): RedisUrl[] {
  return parseBrokerUrls(text).filter((url) => url.transport === 'redis');
}

async function harnessOf(setup: (port: number, directory: string) => Setup): Promise<BrokerHarness> {
  const port = await freePort();
  const directory = temporaryDirectory();
  const { url, lines = [], client = {}, options = {}, channel } = setup(port, directory.path);
  const server = new RedisServer(port, lines, client);
  await server.start();
  return {
    open: (logger) => openRedisTransport({ urls: redisUrls(url), options, clock: systemClock, logger }),
    publish: (routingKey, ...payloads) =>
      server.run(async (redis) => {
        const name = channel.replace('KEY', routingKey);
        await Promise.all(payloads.map((payload) => redis.publish(name, payload)));
      }),
    restart: { stop: () => server.stop(), start: () => server.start() },
    connections: () =>
      server.run(async (redis) => (String(await redis.client('LIST')).match(/ psub=[1-9]/g) ?? []).length),
    close: async () => {
      await server.close();
      directory.remove();
    },
  };
}

const KEYED = '/0.celeryev/KEY';

describeTransport('redis', () => harnessOf((port) => ({ url: `redis://127.0.0.1:${port}`, channel: KEYED })));

describeTransport('redis with a password and a database', () =>
  harnessOf((port) => ({
    url: `redis://:p%40ss@127.0.0.1:${port}/3`,
    lines: ['requirepass p@ss'],
    client: { password: 'p@ss' },
    channel: '/3.celeryev/KEY',
  })),
);

describeTransport('redis with an ACL user that may only listen', () =>
  harnessOf((port) => ({
    url: `redis://watcher:pw@127.0.0.1:${port}`,
    lines: ['user watcher on >pw resetchannels &/0.celeryev/* -@all +psubscribe +ping'],
    channel: KEYED,
  })),
);

describeTransport('redis by unix socket', () =>
  harnessOf((_port, directory) => ({
    url: `redis+socket://${join(directory, 'r.sock')}?virtual_host=2`,
    lines: ['port 0', `unixsocket ${join(directory, 'r.sock')}`],
    client: { path: join(directory, 'r.sock') },
    channel: '/2.celeryev/KEY',
  })),
);

describeTransport('redis by TLS, certificate checked', () =>
  harnessOf((port, directory) => {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const query = `ssl_cert_reqs=required&ssl_ca_certs=${encodeURIComponent(cert)}`;
    return {
      url: `rediss://localhost:${port}/0?${query}`,
      lines: ['port 0', `tls-port ${port}`, `tls-cert-file ${cert}`, `tls-key-file ${key}`, 'tls-auth-clients no'],
      client: { tls: { rejectUnauthorized: false } },
      channel: KEYED,
    };
  }),
);

describeTransport('redis with a key prefix full of glob characters', () =>
  harnessOf((port) => ({
    url: `redis://127.0.0.1:${port}`,
    options: { keyPrefix: 'p[x]*?\\é:', fanoutPrefix: '/my.', eventExchange: 'events' },
    channel: 'p[x]*?\\é:/my.events/KEY',
  })),
);
