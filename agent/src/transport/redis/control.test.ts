import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { appEnvironment } from '../../../../test/support/celery.ts';
import { CELERY_APP, pythonEnvironment } from '../../../../test/support/python.ts';
import { testPython } from '../../../../test/support/environment.ts';
import { startProcess } from '../../../../test/support/processes.ts';
import { BrokerUnavailable } from '../../core/control/command.ts';
import type { WorkerAnswer } from '../../core/control/command.ts';
import type { RawMessage } from '../../core/wire/message.ts';
import { systemClock } from '../../lib/clock.ts';
import { recordingLogger, waitUntil } from '../conformance.testkit.ts';
import { ask, publishTask, request } from '../control.conformance.testkit.ts';
import type { BrokerTransport } from '../port.ts';
import { parseBrokerUrls } from '../url.ts';
import { RedisServer, freePort, temporaryDirectory } from './redis-server.testkit.ts';
import { openRedisTransport } from './transport.ts';
import type { RedisTransportOptions } from './transport.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});

async function redis(...args: ConstructorParameters<typeof RedisServer>): Promise<RedisServer> {
  const server = new RedisServer(...args);
  open.push(server);
  await server.start();
  return server;
}

function transportOf(text: string, options: RedisTransportOptions = {}): BrokerTransport {
  const urls = parseBrokerUrls(text).filter((url) => url.transport === 'redis');
  const transport = openRedisTransport({ urls, options, clock: systemClock, logger: recordingLogger() });
  open.push(transport);
  return transport;
}

const ping = request('ping');

/** Connections that commands and replies hold. */
async function connections(server: RedisServer): Promise<number> {
  return server.run(async (client) => String(await client.client('LIST')).split('umbel-commands').length - 1);
}

interface FakeWorker {
  /** The channel on which the request came, once it is answered. */
  readonly answered: Promise<string>;
}

/** Listens already, and answers the first request as a worker of kombu does: only to who is bound. */
async function fakeWorker(server: RedisServer, body: (ticket: string) => object): Promise<FakeWorker> {
  const [listener, sender] = [server.client(), server.client()];
  open.push({
    close: async () => {
      for (const client of [listener, sender]) client.disconnect();
      await Promise.resolve();
    },
  });
  await Promise.all([listener.connect(), sender.connect()]);
  await listener.psubscribe('*.pidbox');
  const answered = new Promise<string>((resolve, reject) => {
    listener.once('pmessage', (_pattern: string, channel: string, text: string) => {
      const envelope = JSON.parse(text) as { body: string };
      const sent = JSON.parse(Buffer.from(envelope.body, 'base64').toString()) as {
        ticket: string;
        reply_to: { exchange: string; routing_key: string };
      };
      const prefix = channel.slice(0, channel.indexOf('/'));
      const answer = async (): Promise<void> => {
        for (const member of await sender.smembers(`${prefix}_kombu.binding.${sent.reply_to.exchange}`)) {
          const [routingKey, , queue = ''] = member.split('\u0006\u0016');
          if (routingKey === sent.reply_to.routing_key)
            await sender.lpush(prefix + queue, JSON.stringify(body(sent.ticket)));
        }
      };
      answer().then(() => resolve(channel), reject);
    });
  });
  return { answered };
}

const pong = (ticket: string): object => ({
  body: Buffer.from('{"w@h": {"ok": "pong"}}').toString('base64'),
  'content-type': 'application/json',
  headers: { ticket },
  properties: { body_encoding: 'base64' },
});
const PONG: WorkerAnswer = { worker: 'w@h', ok: true, reply: { ok: 'pong' } };

describe('remote control on Redis', () => {
  it('opens no connection before the first command, and leaves nothing behind', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    expect(await connections(server)).toBe(0);
    const { answered } = await fakeWorker(server, pong);
    expect(await ask(transport, ping, 1)).toEqual([PONG]);
    expect(await answered).toBe('/0.celery.pidbox');
    expect(await server.run((client) => client.keys('*'))).toEqual([]);
    await waitUntil('the end of the connection for replies', async () => (await connections(server)) === 1);
    await transport.close();
    await waitUntil('the end of the connection for commands', async () => (await connections(server)) === 0);
  });

  it('uses prefixes, database and exchange of the cluster', async () => {
    const server = await redis(await freePort(), []);
    const options = { keyPrefix: 'p*:', fanoutPrefix: '/my.{db}.', controlExchange: 'shop' };
    const transport = transportOf(`redis://127.0.0.1:${server.port}/0`, options);
    const { answered } = await fakeWorker(server, pong);
    expect(await ask(transport, ping, 1)).toEqual([PONG]);
    expect(await answered).toBe('p*:/my.0.shop.pidbox');
    await transport.close();
  });

  it('tells how many listened, and keeps the binding of kombu 5.7 alive', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}/2`);
    expect(await transport.control.cast(ping)).toEqual({ receivers: 0 });
    const key = '_kombu.binding_deadlines';
    await server.run(async (client) => {
      await client.select(2);
      await client.zadd(key, 1, 'reply.celery.pidbox');
    });
    const call = await transport.control.call(ping, () => undefined);
    expect(call.receivers).toBe(0);
    const deadline = await server.run(async (client) => {
      await client.select(2);
      return client.zscore(key, 'reply.celery.pidbox');
    });
    expect(Number(deadline)).toBeGreaterThan(systemClock.now() + 3_000_000);
    await call.close();
  });

  it('refuses in time while Redis is away or silent, and works again afterwards', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`, { commandTimeoutMs: 300 });
    await transport.control.cast(ping);
    server.kill('SIGSTOP');
    const begin = systemClock.now();
    await expect(transport.control.cast(ping)).rejects.toThrow(BrokerUnavailable);
    await expect(transport.control.call(ping, () => undefined)).rejects.toThrow(BrokerUnavailable);
    expect(systemClock.now() - begin).toBeLessThan(2000);
    server.kill('SIGCONT');
    await server.stop();
    await expect(transport.tasks.depths(['a'])).rejects.toThrow(/Nothing listens on/);
    await server.start();
    expect(await transport.tasks.depths(['a'])).toEqual([{ name: 'a', messages: 0, unacked: 0 }]);
  });

  it('waits on for replies after the connection was lost', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    const answers: WorkerAnswer[] = [];
    let ticket = '';
    let key = '';
    const { answered } = await fakeWorker(server, (sent) => pong((ticket = sent)));
    const call = await transport.control.call(ping, (answer) => answers.push(answer));
    await answered;
    await waitUntil('the first answer', () => answers.length === 1);
    await server.run(async (client) => {
      const [member = ''] = await client.smembers('_kombu.binding.reply.celery.pidbox');
      key = member.split('\u0006\u0016')[2] ?? '';
      await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await client.lpush(key, JSON.stringify(pong(ticket)));
    });
    await waitUntil('the second answer', () => answers.length === 2);
    await call.close();
  });

  it('goes on to the next URL of the list', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${await freePort()};redis://127.0.0.1:${server.port}`);
    const { answered } = await fakeWorker(server, pong);
    expect(await ask(transport, ping, 1)).toEqual([PONG]);
    await answered;
  });

  it('works over a unix socket with a password', async () => {
    const directory = temporaryDirectory();
    const path = join(directory.path, 'r.sock');
    const server = await redis(0, ['port 0', `unixsocket ${path}`, 'requirepass pw'], { path, password: 'pw' });
    const transport = transportOf(`redis+socket://:pw@${path}?virtual_host=1`);
    const id = await publishTask(transport, 'mail', { name: 'a' });
    expect((await transport.tasks.findMessage(id, ['mail']))?.routingKey).toBe('mail');
    expect(await server.run((client) => client.llen('mail'))).toBe(0);
    directory.remove();
  });

  it('says what an ACL forbids', async () => {
    const acl = 'user watcher on >pw resetchannels &* ~* -@all +psubscribe +ping +publish';
    const server = await redis(await freePort(), [acl]);
    const transport = transportOf(`redis://watcher:pw@127.0.0.1:${server.port}`);
    expect(await transport.control.cast(ping)).toEqual({ receivers: 0 });
    await expect(transport.control.call(ping, () => undefined)).rejects.toThrow(/user "watcher".*sadd/is);
  });

  it('finds the master behind a sentinel', async () => {
    const master = await redis(await freePort(), []);
    const lines = [`sentinel monitor mymaster 127.0.0.1 ${master.port} 1`];
    const sentinel = await redis(await freePort(), lines, {}, true);
    const transport = transportOf(`sentinel://127.0.0.1:${sentinel.port}/0`, { masterName: 'mymaster' });
    const { answered } = await fakeWorker(master, pong);
    expect(await ask(transport, ping, 1)).toEqual([PONG]);
    await answered;
  });
});

describe('task queues on Redis', () => {
  it('puts a message into the list of its priority step', async () => {
    const server = await redis(await freePort(), []);
    const url = `redis://127.0.0.1:${server.port}`;
    const lists = (): Promise<string[]> => server.run(async (client) => (await client.keys('*')).sort());
    for (const priority of [0, 2, 3, 8, 9, 200]) await publishTask(transportOf(url), 'q', { name: 'a' }, { priority });
    expect(await lists()).toEqual(['q', 'q\u0006\u00163', 'q\u0006\u00166', 'q\u0006\u00169']);
    const own = transportOf(url, { prioritySteps: [0, 5], sep: ':', keyPrefix: 'px:' });
    await publishTask(own, 'q', { name: 'a' }, { priority: 6 });
    expect(await lists()).toContain('px:q:5');
    expect(await own.tasks.depths(['q'])).toMatchObject([{ messages: 1 }]);
    expect(await transportOf(url).tasks.depths(['q', 'none'])).toMatchObject([{ messages: 6 }, { messages: 0 }]);
  });

  it('tells since when the first message of a queue has not moved', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    const oldest = async (): Promise<number | undefined> => (await transport.tasks.depths(['q']))[0]?.oldestMs;
    const first = await publishTask(transport, 'q', { name: 'a' });
    await publishTask(transport, 'q', { name: 'a' });
    await waitUntil('it has not moved', async () => (await oldest()) !== undefined);
    expect(await transport.tasks.depths(['q'])).toMatchObject([{ nextIds: [first] }]);
    expect(await server.run((client) => client.rpop('q'))).toContain(first);
    expect(await oldest()).toBeUndefined();
  });

  it('knows the queues that are bound, whatever their names', async () => {
    const server = await redis(await freePort(), []);
    const member = (name: string): string => [name, '', name].join('\u0006\u0016');
    await server.run(async (client) => {
      // An answer of four items of which the first is "pm", 8 bytes in all, begins like a message of pub/sub.
      await client.sadd('_kombu.binding.celery', member('pm'));
      await client.sadd('_kombu.binding.celery', ...['aa', 'bb', 'cc'].map(member));
      await client.sadd('_kombu.binding.made-up', member('made-up'));
      await client.sadd('_kombu.binding.celeryev', member('celeryev.1'));
      await client.sadd('_kombu.binding.reply.celery.pidbox', member('oid.reply.celery.pidbox'));
    });
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    expect(await transport.tasks.names()).toEqual(['aa', 'bb', 'cc', 'made-up', 'pm']);
  });

  it('counts unacknowledged messages by the queue behind their exchange, unless there are too many', async () => {
    const server = await redis(await freePort(), []);
    const unacked = (n: number, exchange: string, key: string): [string, string] => [
      `tag-${n}`,
      JSON.stringify([{ headers: { id: `id-${n}` }, properties: {} }, exchange, key]),
    ];
    await server.run(async (client) => {
      await client.sadd('_kombu.binding.shop', 'key\u0006\u0016\u0006\u0016orders');
      await client.hset('unacked', Object.fromEntries([unacked(1, '', 'mail'), unacked(2, 'shop', 'key')]));
      await client.hset('unacked', 'broken', 'no json');
    });
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    expect(await transport.tasks.depths(['mail', 'orders'])).toMatchObject([{ unacked: 1 }, { unacked: 1 }]);
    expect((await transport.tasks.findMessage('id-2', []))?.routingKey).toBe('key');
    await server.run((client) =>
      client.hset('unacked', Object.fromEntries(Array.from({ length: 1001 }, (_, n) => unacked(n, '', 'mail')))),
    );
    expect((await transport.tasks.depths(['mail']))[0]).not.toHaveProperty('unacked');
  });

  it('finds a message deep in a long queue', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    const id = await publishTask(transport, 'q', { name: 'a', argsJson: '["first"]' });
    await server.run((client) => client.lpush('q', ...Array.from({ length: 450 }, () => `{"id": "${randomUUID()}"}`)));
    expect((await transport.tasks.findMessage(id, ['q']))?.payload.toString()).toContain(id);
    expect((await transport.tasks.depths(['q']))[0]?.messages).toBe(451);
  });

  it('hands in every message of queues and of workers, until it is told to stop', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}`);
    const publish = (queue: string): Promise<string> => publishTask(transport, queue, { name: 'a' });
    const [first, second, other] = [await publish('q'), await publish('q'), await publish('r')];
    const taken = JSON.stringify([{ headers: { id: 'taken' }, properties: {} }, '', 'mail']);
    await server.run((client) => client.hset('unacked', 'tag', taken));
    const seen: [string, string][] = [];
    const note = ({ routingKey, payload }: RawMessage): boolean => {
      const { headers } = JSON.parse(payload.toString()) as { headers: { id: string } };
      return seen.push([routingKey, headers.id]) !== 5;
    };
    await transport.tasks.eachMessage(['q', 'empty', 'r'], note);
    const all = [
      ['q', second],
      ['q', first],
      ['r', other],
      ['mail', 'taken'],
    ];
    expect(seen).toEqual(all);
    await transport.tasks.eachMessage(['q', 'empty', 'r'], note);
    expect(seen).toEqual([...all, ['q', second]]);
    expect((await transport.tasks.depths(['q']))[0]?.messages).toBe(2);
  });

  it('says where a task is, however many empty queues are looked through first', async () => {
    const server = await redis(await freePort(), []);
    const transport = transportOf(`redis://127.0.0.1:${server.port}/0`);
    const id = await publishTask(transport, 'last', { name: 'shop.add' });
    const queues = [...Array.from({ length: 60 }, (_, index) => `empty-${index}`), 'last'];
    const { found, isWhole } = await transport.tasks.locate(new Set([id, randomUUID()]), queues);
    expect([...found]).toEqual([[id, 'waiting']]);
    expect(isWhole).toBe(true);
  });
});

describe('workers of other serializers', () => {
  const script = (serializer: string): string => `
import app
app.app.conf.update(task_serializer='${serializer}', accept_content=['json', '${serializer}'])
app.app.worker_main(['worker', '-n', '${serializer}@h', '-P', 'solo', '-l', 'INFO', '--without-mingle'])`;

  it('pickled replies are told as such, YAML and msgpack are read', async () => {
    const server = await redis(await freePort(), []);
    const url = `redis://127.0.0.1:${server.port}/0`;
    const workers = ['msgpack', 'pickle', 'yaml'].map((serializer) =>
      startProcess({
        name: serializer,
        command: testPython(),
        args: ['-c', script(serializer)],
        env: { ...pythonEnvironment(appEnvironment({ brokerUrl: url })), C_FORCE_ROOT: '1' },
        cwd: CELERY_APP,
      }),
    );
    await Promise.all(workers.map((worker) => worker.printed(/ ready\./, 60_000)));
    const transport = transportOf(url);
    // A worker says that it is ready a moment before it listens.
    await waitUntil('three listeners', async () => (await transport.control.cast(request('ping'))).receivers === 3);
    const [msgpack, pickle, yaml] = await ask(transport, request('active_queues'), 3);
    const queues = [{ name: 'celery' }, { name: 'emails' }, { name: 'reports' }];
    expect(msgpack).toMatchObject({ worker: 'msgpack@h', ok: true, reply: queues });
    expect(yaml).toMatchObject({ worker: 'yaml@h', ok: true, reply: queues });
    expect(pickle).toMatchObject({ worker: 'pickle@h', ok: false });
    expect(pickle).toHaveProperty('error', expect.stringContaining("set task_serializer to 'json'"));
    await Promise.all(workers.map((worker) => worker.stop()));
  }, 90_000);
});
