import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../../../../test/support/cleanup.ts';
import { freePort } from '../../../../test/support/ports.ts';
import { startRabbitMq } from '../../../../test/support/rabbitmq.ts';
import type { RabbitMqServer } from '../../../../test/support/rabbitmq.ts';
import { RecordingListener, describeTransport, recordingLogger, waitUntil } from '../conformance.testkit.ts';
import type { BrokerTransport } from '../port.ts';
import { eventPayload, openAmqp, publishEvents, withBroker } from './broker.testkit.ts';
import type { AmqpTransportOptions } from './transport.ts';

let server: RabbitMqServer;
let pem: { readonly ca: string; readonly cert: string; readonly key: string };
let tlsPort = 0;
beforeAll(async () => {
  tlsPort = await freePort();
  const directory = await temporaryDirectory('certificates');
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  pem = { ca: cert, cert, key };
  server = await startRabbitMq({
    config: () => [
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.cacertfile = ${cert}`,
      `ssl_options.certfile = ${cert}`,
      `ssl_options.keyfile = ${key}`,
      'ssl_options.verify = verify_none',
    ],
  });
}, 90_000);
afterAll(async () => {
  await server.stop();
});

const open: BrokerTransport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

interface Heard {
  readonly transport: BrokerTransport;
  readonly listener: RecordingListener;
  readonly warnings: readonly string[];
  /** Numbers of the events heard, redelivered ones again. */
  numbers(): number[];
  settleAll(): void;
}

function listen(url: string, options: AmqpTransportOptions = {}): Heard {
  const logger = recordingLogger();
  const transport = openAmqp(url, logger, options);
  open.push(transport);
  const listener = new RecordingListener();
  transport.consumeEvents(listener);
  return {
    transport,
    listener,
    warnings: logger.warnings,
    numbers: () => listener.messages.map(({ payload }) => (JSON.parse(payload.toString()) as { clock: number }).clock),
    settleAll: () => transport.settle(listener.messages.flatMap(({ delivery }) => delivery ?? [])),
  };
}

const connected = (heard: Heard): Promise<void> =>
  waitUntil(`connected (${heard.transport.health().problem ?? ''})`, () => heard.transport.health().connected, 20_000);

let round = 0;
/** An exchange and a queue that no other test uses. */
function own(): { readonly eventExchange: string; readonly eventQueue: string } {
  round += 1;
  return { eventExchange: `ev-${round}`, eventQueue: `umbel.t-${round}` };
}

const depth = (queue: string): Promise<number> =>
  withBroker(server.url, async (model) => {
    const channel = await model.createChannel();
    return (await channel.checkQueue(queue)).messageCount;
  });

const send = (exchange: string, ...numbers: number[]): Promise<void> =>
  publishEvents(
    server.url,
    exchange,
    'task.multi',
    numbers.map((n) => eventPayload(n)),
  );

describeTransport('rabbitmq', () => {
  const names = own();
  return Promise.resolve({
    keepsEvents: true,
    open: (logger) => openAmqp(server.url, logger, names),
    publish: (routingKey, ...payloads) => publishEvents(server.url, names.eventExchange, routingKey, payloads),
    restart: { stop: () => server.stop(), start: () => server.start() },
    connections: () =>
      withBroker(server.url, async (model) => {
        const channel = await model.createChannel();
        return (await channel.checkQueue(names.eventQueue)).consumerCount;
      }),
    close: () => Promise.resolve(),
  });
});

describe('what lies in the queue', () => {
  it('waits while no agent runs, and tells that it did', async () => {
    const names = own();
    const first = listen(server.url, names);
    await connected(first);
    expect(first.transport.health().keepsEvents).toBe(false);
    await first.transport.close();
    await send(names.eventExchange, 1, 2, 3);
    const second = listen(server.url, names);
    await waitUntil('the kept events', () => second.numbers().length === 3);
    expect(second.transport.health().keepsEvents).toBe(true);
    expect(second.numbers()).toEqual([1, 2, 3]);
    expect(second.listener.gaps).toEqual([]);
  });

  it('is forgotten once settled, in order; the rest comes again, and old deliveries are passed over', async () => {
    const names = own();
    const first = listen(server.url, names);
    await connected(first);
    await send(names.eventExchange, 1, 2, 3, 4, 5);
    await waitUntil('five events', () => first.numbers().length === 5);
    const deliveries = first.listener.messages.flatMap(({ delivery }) => delivery ?? []);
    // The third is still open, so what was settled behind it comes again too.
    first.transport.settle([deliveries[4], deliveries[0], deliveries[1], deliveries[3]].flatMap((one) => one ?? []));
    await first.transport.close();
    const second = listen(server.url, names);
    await waitUntil('the rest', () => second.numbers().length === 3);
    expect(second.numbers()).toEqual([3, 4, 5]);
    second.transport.settle(deliveries);
    await second.transport.close();
    expect(await depth(names.eventQueue)).toBe(3);
  });

  it('outlives a restart of the broker, and the connection comes back by itself', async () => {
    const names = own();
    const heard = listen(server.url, { ...names, prefetch: 4 });
    await connected(heard);
    await send(names.eventExchange, 1, 2, 3, 4, 5, 6);
    await waitUntil('as many as may be open', () => heard.numbers().length === 4);
    heard.transport.settle(heard.listener.messages.flatMap(({ delivery }) => delivery ?? []).slice(0, 2));
    await waitUntil('two are settled, and the next come', () => heard.numbers().length === 6);
    await server.stop();
    await waitUntil('it is noticed', () => !heard.transport.health().connected);
    await server.start();
    await connected(heard);
    await waitUntil('the open ones come again', () => heard.numbers().length === 10);
    heard.settleAll();
    await send(names.eventExchange, 7);
    await waitUntil('it goes on', () => heard.numbers().length === 11);
    expect(heard.numbers()).toEqual([1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 7]);
    expect(heard.listener.gaps).toEqual([]);
    expect(heard.transport.health().reconnects).toBe(1);
  }, 60_000);
});

describe('what is lost is told', () => {
  it('as a gap when the queue is deleted under a running agent, which declares it anew', async () => {
    const names = own();
    const heard = listen(server.url, names);
    await connected(heard);
    await send(names.eventExchange, 1);
    await waitUntil('an event', () => heard.numbers().length === 1);
    await withBroker(server.url, async (model) => {
      const channel = await model.createChannel();
      await channel.deleteQueue(names.eventQueue);
    });
    await waitUntil('the gap', () => heard.listener.gaps.length === 1);
    expect(heard.listener.gaps[0]?.cause).toContain(`the queue ${names.eventQueue} was gone`);
    expect(heard.listener.gaps[0]?.fromMs).toBe(heard.listener.messages[0]?.receivedMs);
    await send(names.eventExchange, 2);
    await waitUntil('it goes on', () => heard.numbers().at(-1) === 2);
  });

  it('as a gap with the times of the events that a full queue dropped', async () => {
    const names = { ...own(), eventQueueMaxBytes: 20_000, dropCheckMs: 200 };
    const first = listen(server.url, names);
    await connected(first);
    await first.transport.close();
    const startMs = 1_700_000_000_000;
    const payloads = Array.from({ length: 500 }, (_, n) => eventPayload(n, startMs + n * 1000));
    await publishEvents(server.url, names.eventExchange, 'task.multi', payloads);
    const second = listen(server.url, names);
    await waitUntil('the gap', () => second.listener.gaps.length > 0);
    await waitUntil('the newest event', () => second.numbers().at(-1) === 499);
    const kept = second.numbers();
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(400);
    expect(second.listener.gaps).toHaveLength(1);
    expect(second.listener.gaps[0]).toMatchObject({ fromMs: startMs, toMs: startMs + ((kept[0] ?? 0) - 1) * 1000 });
    expect(second.listener.gaps[0]?.cause).toMatch(/dropped events .* it was full/);
    await second.transport.close();
    const third = listen(server.url, names);
    await waitUntil('what was not settled', () => third.numbers().length >= kept.length);
    expect(third.listener.gaps).toEqual([]);
  });

  it('as a gap when events became too old', async () => {
    const names = { ...own(), eventQueueMaxAgeMs: 300, dropCheckMs: 100 };
    const first = listen(server.url, names);
    await connected(first);
    await first.transport.close();
    await publishEvents(server.url, names.eventExchange, 'task.sent', [eventPayload(1, 1_700_000_000_000)]);
    await waitUntil('it is too old', async () => (await depth(names.eventQueue)) === 0);
    const second = listen(server.url, names);
    await waitUntil('the gap', () => second.listener.gaps.length === 1);
    expect(second.listener.gaps[0]).toMatchObject({ fromMs: 1_700_000_000_000, toMs: 1_700_000_000_000 });
    expect(second.listener.gaps[0]?.cause).toContain('too old');
  });
});

describe('what is wrong is said', () => {
  const problemOf = async (url: string, pattern: RegExp): Promise<string> => {
    const heard = listen(url, own());
    await waitUntil(`${String(pattern)}: ${heard.transport.health().problem ?? 'no problem'}`, () =>
      pattern.test(heard.transport.health().problem ?? ''),
    ).catch((error: unknown) => {
      throw new Error(heard.transport.health().problem ?? 'no problem', { cause: error });
    });
    expect(heard.transport.health().connected).toBe(false);
    return heard.transport.health().problem ?? '';
  };
  const at = (userinfo: string, rest = ''): string => `amqp://${userinfo}@127.0.0.1:${server.port}${rest}`;

  it('of a wrong password, without telling it', async () => {
    const problem = await problemOf(at('guest:s3cret-word'), /refuses user "guest" with this password \(403\)/);
    expect(problem).not.toContain('s3cret-word');
  });

  it('of a virtual host that is not there', async () => {
    await problemOf(at('guest:guest', '/nowhere'), /does not open the virtual host "nowhere" to user "guest"/);
  });

  it('of a host that is not known, a port that nobody listens on, and one that is not RabbitMQ', async () => {
    await problemOf('amqp://guest:guest@no-such-host.invalid', /host of no-such-host\.invalid:5672 is not known/);
    await problemOf(`amqp://guest:guest@127.0.0.1:${await freePort()}`, /Nothing listens/);
    await problemOf(`amqp://guest:guest@127.0.0.1:${tlsPort}`, /closes the connection at once: is it a TLS port/);
  });

  it('of certificates, and TLS works with the right ones', async () => {
    const url = `amqps://guest:guest@localhost:${tlsPort}/`;
    await problemOf(`${url}?ssl_cert_reqs=required`, /is not trusted .* ssl_ca_certs/);
    await problemOf(`${url}?ssl_ca_certs=/no/such/file`, /\/no\/such\/file \(ssl_ca_certs\) cannot be read/);
    await problemOf(`amqps://guest:guest@127.0.0.1:${server.port}/?ssl_cert_reqs=none`, /does not speak TLS/);
    const names = own();
    const heard = listen(`${url}?ssl_ca_certs=${encodeURIComponent(pem.ca)}`, names);
    await connected(heard);
    await send(names.eventExchange, 1);
    await waitUntil('an event over TLS', () => heard.numbers().length === 1);
  });

  it('of a queue that exists with other arguments, which is used as it is', async () => {
    const names = own();
    await withBroker(server.url, async (model) => {
      const channel = await model.createChannel();
      await channel.assertQueue(names.eventQueue, { durable: true, arguments: { 'x-max-length': 7 } });
    });
    const heard = listen(server.url, names);
    await connected(heard);
    expect(heard.transport.health().hint).toMatch(/exists with .*406.*--event-queue/);
    expect(heard.warnings.join()).toContain(names.eventQueue);
    await send(names.eventExchange, 1);
    await waitUntil('an event', () => heard.numbers().length === 1);
    expect(heard.transport.health().hint).toContain('406');
  });

  it('of a broker that has run low on memory', async () => {
    const heard = listen(server.url, own());
    await connected(heard);
    const alarm = '{resource_limit, memory, node()}';
    const clear = `spawn(fun() -> timer:sleep(3000), rabbit_alarm:clear_alarm(${alarm}) end)`;
    server.ctl('eval', `rabbit_alarm:set_alarm({${alarm}, []}), ${clear}.`);
    const cast = heard.transport.control.cast({ method: 'ping', arguments: {}, target: { kind: 'all' } });
    cast.catch(() => undefined);
    await waitUntil('it is told', () => /takes no messages/.test(heard.transport.health().hint ?? ''));
    await expect(cast).resolves.toEqual({ receivers: 0 });
    await waitUntil('it is over', () => heard.transport.health().hint === undefined);
  });
});

describe('several', () => {
  it('agents share the queue: one hears, the other stands by, says so, and takes over', async () => {
    const names = { ...own(), probeAfterMs: 300 };
    const first = listen(server.url, names);
    await connected(first);
    const second = listen(server.url, names);
    await connected(second);
    await send(names.eventExchange, ...Array.from({ length: 50 }, (_, n) => n));
    await waitUntil('all events', () => first.numbers().length + second.numbers().length === 50);
    const [active, idle] = first.numbers().length > 0 ? [first, second] : [second, first];
    expect(active.numbers()).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await waitUntil('the hint', () => /Another agent reads/.test(idle.transport.health().hint ?? ''));
    active.settleAll();
    await active.transport.close();
    await send(names.eventExchange, 50);
    await waitUntil('the other takes over', () => idle.numbers().length === 1);
    expect(idle.numbers()).toEqual([50]);
    expect(idle.transport.health().hint).toBeUndefined();
  });

  it('listeners with a queue of their own take nothing from the agent, and leave nothing behind', async () => {
    const names = own();
    const agent = listen(server.url, names);
    await connected(agent);
    const doctor = listen(server.url, { ...names, ownQueue: true, prefetch: 2, probeAfterMs: 100 });
    await connected(doctor);
    await waitUntil('the hint', () => /No event came/.test(doctor.transport.health().hint ?? ''));
    expect(doctor.transport.health()).toMatchObject({ keepsEvents: false });
    expect(doctor.transport.health().hint).not.toContain('another agent');
    await send(names.eventExchange, 1, 2, 3, 4);
    await waitUntil('all of them, twice', () => agent.numbers().length === 4 && doctor.numbers().length === 4);
    expect(doctor.listener.messages.every(({ delivery }) => delivery === undefined)).toBe(true);
    await doctor.transport.close();
    const left = server.ctl('list_queues', 'name').split('\n');
    expect(left.filter((name) => name.startsWith(`${names.eventQueue}.`)).sort()).toEqual([
      `${names.eventQueue}.dropped.first`,
      `${names.eventQueue}.dropped.last`,
    ]);
  });

  it('brokers: the next of the list is taken when the first is away', async () => {
    const names = own();
    const away = `amqp://guest:guest@127.0.0.1:${await freePort()}//`;
    const heard = listen(`${away};${server.url}//`, names);
    await connected(heard);
    await send(names.eventExchange, 1);
    await waitUntil('an event', () => heard.numbers().length === 1);
  });

  it('connections: one that was cut is opened again without a gap', async () => {
    const names = own();
    const heard = listen(server.url, names);
    await connected(heard);
    server.ctl('close_all_connections', '--vhost', '/', 'cut by the test');
    await waitUntil('connected again', () => heard.transport.health().reconnects === 1);
    await send(names.eventExchange, 1);
    await waitUntil('an event', () => heard.numbers().length === 1);
    expect(heard.listener.gaps).toEqual([]);
  });
});
