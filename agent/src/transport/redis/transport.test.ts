import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { RecordingListener, recordingLogger, waitUntil } from '../conformance.testkit.ts';
import type { BrokerTransport } from '../port.ts';
import { parseBrokerUrls } from '../url.ts';
import { RedisServer, freePort } from './redis-server.testkit.ts';
import { openRedisTransport } from './transport.ts';
import type { RedisTransportOptions } from './transport.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});

async function redis(lines: readonly string[] = [], password?: string): Promise<RedisServer> {
  const server = new RedisServer(await freePort(), lines, password === undefined ? {} : { password });
  open.push(server);
  await server.start();
  return server;
}

interface Listening {
  readonly transport: BrokerTransport;
  readonly listener: RecordingListener;
  readonly warnings: readonly string[];
  readonly problem: () => string;
}

function listen(text: string, options: RedisTransportOptions = {}): Listening {
  const urls = parseBrokerUrls(text).filter((url) => url.transport === 'redis');
  const logger = recordingLogger();
  const transport = openRedisTransport({ urls, options, clock: systemClock, logger });
  open.push(transport);
  const listener = new RecordingListener();
  transport.consumeEvents(listener);
  return { transport, listener, warnings: logger.warnings, problem: () => transport.health().problem ?? '' };
}

async function problemOf(text: string, options: RedisTransportOptions = {}): Promise<string> {
  const { problem } = listen(text, options);
  await waitUntil('a problem', () => problem() !== '');
  return problem();
}

describe('says what is wrong', () => {
  it.each([
    [
      'refused',
      async () => `redis://127.0.0.1:${await freePort()}`,
      /Nothing listens on 127.0.0.1:\d+ \(ECONNREFUSED\)/,
    ],
    [
      'unknown host',
      async () => Promise.resolve('redis://no-such-host.invalid'),
      /host of no-such-host.invalid:6379 is not known/,
    ],
    ['no socket', async () => Promise.resolve('redis+socket:///nowhere/r.sock'), /no socket \/nowhere\/r.sock/],
    ['no password', async () => `redis://127.0.0.1:${(await redis(['requirepass s'], 's')).port}`, /wants a password/],
    [
      'wrong password',
      async () => `redis://:xx@127.0.0.1:${(await redis(['requirepass s'], 's')).port}`,
      /refuses user "default"/,
    ],
    ['unknown user', async () => `redis://bob:xx@127.0.0.1:${(await redis()).port}`, /refuses user "bob"/],
    ['no such database', async () => `redis://127.0.0.1:${(await redis()).port}/99`, /has no database 99/],
    [
      'forbidden channel',
      async () => `redis://u:pw@127.0.0.1:${(await redis(['user u on >pw resetchannels +@all'])).port}`,
      /forbids user "u" to listen to events \(NOPERM\): run ACL SETUSER u .*"&\/0.celeryev\/\*"/,
    ],
    ['TLS to a plain port', async () => `rediss://127.0.0.1:${(await redis()).port}`, /TLS/],
    [
      'missing CA file',
      async () => Promise.resolve('rediss://127.0.0.1?ssl_ca_certs=/nowhere/ca.pem'),
      /\/nowhere\/ca.pem \(ssl_ca_certs\) cannot be read/,
    ],
  ])('%s', async (_name, url, words) => {
    const problem = await problemOf(await url(), { connectTimeoutMs: 1000 });
    expect(problem).toMatch(words);
    expect(problem).not.toContain('xx');
  });

  it('does so once, not at every attempt', async () => {
    const { warnings, problem } = listen(`redis://127.0.0.1:${await freePort()}`, { connectTimeoutMs: 500 });
    await waitUntil('a problem', () => problem() !== '');
    await systemClock.sleep(700);
    expect(warnings).toEqual([problem()]);
  });

  it('tells a server that is not Redis', async () => {
    const port = await freePort();
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    expect(await problemOf(`redis://127.0.0.1:${port}`)).toMatch(/not as Redis does/);
  });
});

describe('keeps on listening', () => {
  it('takes the next URL of the list', async () => {
    const server = await redis();
    const { transport } = listen(`redis://127.0.0.1:${await freePort()};redis://127.0.0.1:${server.port}`);
    await waitUntil('connected', () => transport.health().connected);
  });

  it('notices a broker that hangs, and reports the gap from the last sign of life', async () => {
    const server = await redis();
    const { transport, listener } = listen(`redis://127.0.0.1:${server.port}`, {
      heartbeatMs: 50,
      connectTimeoutMs: 200,
    });
    await waitUntil('connected', () => transport.health().connected);
    await systemClock.sleep(300);
    expect(transport.health()).toMatchObject({ connected: true, reconnects: 0 });
    const frozenMs = systemClock.now();
    server.kill('SIGSTOP');
    await waitUntil('noticed', () => !transport.health().connected);
    server.kill('SIGCONT');
    await waitUntil('connected again', () => transport.health().connected);
    expect(listener.gaps).toHaveLength(1);
    expect(listener.gaps[0]?.cause).toBe('connection lost: no sign of life');
    expect(Math.abs((listener.gaps[0]?.fromMs ?? 0) - frozenMs)).toBeLessThan(200);
  });

  it('begins a gap before the first event that is lost, however late it is read', async () => {
    const server = await redis();
    const { transport, listener } = listen(`redis://127.0.0.1:${server.port}`, { heartbeatMs: 50 });
    await waitUntil('connected', () => transport.health().connected);
    await systemClock.sleep(150);
    // The other side of the connection goes on while this process stands still.
    const script = `redis-cli -p ${server.port} PUBLISH /0.celeryev/task.sent read;
      sleep 1; redis-cli -p ${server.port} CLIENT KILL TYPE pubsub; date +%s%3N;
      redis-cli -p ${server.port} PUBLISH /0.celeryev/task.sent lost`;
    const lostMs = Number(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout.split('\n')[2]);
    const resumedMs = systemClock.now();
    await waitUntil('a gap', () => listener.gaps.length > 0);
    expect(listener.messages.map(({ payload }) => payload.toString())).toEqual(['read']);
    const { fromMs = Infinity, toMs = 0 } = listener.gaps[0] ?? {};
    expect(fromMs).toBeLessThanOrEqual(lostMs);
    expect(fromMs).toBeGreaterThan(lostMs - 5000);
    expect(toMs).toBeGreaterThanOrEqual(resumedMs);
    await waitUntil('all heard again', () => (transport.health().heardUpToMs ?? 0) >= toMs);
  });

  it('takes a pause of its own process for no gap', async () => {
    const server = await redis();
    const { transport, listener } = listen(`redis://127.0.0.1:${server.port}`, { heartbeatMs: 50 });
    await waitUntil('connected', () => transport.health().connected);
    spawnSync('sleep', ['1']);
    await server.run((client) => client.publish('/0.celeryev/task.sent', 'x'));
    await waitUntil('heard', () => listener.messages.length === 1);
    await systemClock.sleep(200);
    expect(listener.gaps).toEqual([]);
    expect(transport.health()).toMatchObject({ connected: true, reconnects: 0 });
  });

  it('survives a busy event loop without taking the broker for dead', async () => {
    const server = await redis();
    const { transport } = listen(`redis://127.0.0.1:${server.port}`, { heartbeatMs: 60 });
    await waitUntil('connected', () => transport.health().connected);
    for (let round = 0; round < 5; round += 1) {
      const until = systemClock.now() + 300;
      while (systemClock.now() < until);
      await systemClock.sleep(1);
    }
    expect(transport.health()).toMatchObject({ connected: true, reconnects: 0 });
  });

  it('tells that Redis cut it off for reading too slowly', async () => {
    const server = await redis(['client-output-buffer-limit pubsub 1mb 1mb 1']);
    const { transport, listener } = listen(`redis://127.0.0.1:${server.port}`);
    await waitUntil('connected', () => transport.health().connected);
    await server.run(async (client) => {
      // One transaction of more than the limit and the socket buffers together: nobody could read as fast.
      const burst = client.multi();
      for (let n = 0; n < 12; n += 1) burst.publish('/0.celeryev/task.multi', Buffer.alloc(2 << 20, 'x'));
      await burst.exec();
    });
    await waitUntil('a gap', () => listener.gaps.length > 0);
    expect(listener.gaps).toHaveLength(1);
    expect(listener.gaps[0]?.cause).toMatch(/^redis closed the connection: .*output buffer limit/);
  });
});

describe('tells why it is silent', () => {
  async function hint({ transport }: Listening): Promise<string> {
    await waitUntil('a hint', () => transport.health().hint !== undefined, 8000);
    return transport.health().hint ?? '';
  }

  it('events in another database', async () => {
    const server = await redis();
    const quiet = listen(`redis://127.0.0.1:${server.port}`, { probeAfterMs: 50 });
    const client = server.client();
    open.push({
      close: async () => {
        await client.quit();
      },
    });
    await client.connect();
    const stop = systemClock.every(20, () => void client.publish('/4.celeryev/worker.heartbeat', 'x'));
    expect(await hint(quiet)).toContain('use database 4 in the broker URL instead of 0');
    stop();
    await client.publish('/0.celeryev/worker.heartbeat', 'x');
    await waitUntil('hint gone', () => quiet.transport.health().hint === undefined);
    expect(quiet.transport.health().connected).toBe(true);
  }, 15_000);

  it('workers elsewhere, none at all', async () => {
    const server = await redis();
    const none = listen(`redis://127.0.0.1:${server.port}/1`, { probeAfterMs: 20, probeListenMs: 200 });
    const expected = hint(none);
    expect(await expected).toContain('no worker has used database 1');
    await server.run(async (client) => {
      await client.select(2);
      await client.sadd('_kombu.binding.celery.pidbox', 'x');
    });
    const [elsewhere, here] = await Promise.all(
      ['1', '2'].map((db) =>
        hint(listen(`redis://127.0.0.1:${server.port}/${db}`, { probeAfterMs: 20, probeListenMs: 200 })),
      ),
    );
    expect(elsewhere).toContain('workers have used database 2, not 1');
    expect(here).toContain('celery worker -E');
  }, 20_000);
});

describe('sentinel', () => {
  it('needs a master name', () => {
    expect(() => listen('sentinel://h')).toThrow('master_name');
  });

  it('finds the master, follows a failover, hears old kombu, and tells an unknown master', async () => {
    const first = await redis();
    const second = await redis([`replicaof 127.0.0.1 ${first.port}`]);
    const port = await freePort();
    const monitor = [
      `sentinel monitor mymaster 127.0.0.1 ${first.port} 1`,
      'sentinel down-after-milliseconds mymaster 500',
    ];
    const timeout = 'sentinel failover-timeout mymaster 3000';
    const sentinel = new RedisServer(port, [...monitor, timeout], {}, true);
    open.push(sentinel);
    await sentinel.start();

    expect(await problemOf(`sentinel://127.0.0.1:${port}`, { masterName: 'other' })).toMatch(/knows no master "other"/);
    const url = `sentinel://127.0.0.1:${await freePort()};sentinel://127.0.0.1:${port}`;
    const { transport, listener } = listen(url, { masterName: 'mymaster' });
    await waitUntil('connected', () => transport.health().connected);
    await first.run((client) => client.publish('/0.celeryev/task.sent', 'new'));
    await first.run((client) => client.publish('/{db}.celeryev/task.sent', 'old'));
    await waitUntil('both', () => listener.messages.length === 2);
    expect(listener.messages.map(({ payload }) => payload.toString())).toEqual(['new', 'old']);

    await waitUntil(
      'the sentinel knows the replica',
      async () =>
        sentinel.run(async (client) =>
          JSON.stringify(await client.call('SENTINEL', 'REPLICAS', 'mymaster')).includes(String(second.port)),
        ),
      15_000,
    );
    await first.stop();
    await waitUntil('connected to the new master', () => transport.health().reconnects === 1, 15_000);
    await second.run((client) => client.publish('/0.celeryev/task.sent', 'after'));
    await waitUntil('heard from the new master', () => listener.messages.length === 3);
    expect(listener.gaps).toHaveLength(1);
  }, 40_000);
});
