import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testRedisUrl } from '../../../../test/support/environment.ts';
import { startRabbitMq } from '../../../../test/support/rabbitmq.ts';
import type { RabbitMqServer } from '../../../../test/support/rabbitmq.ts';
import { recordingLogger, waitUntil } from '../conformance.testkit.ts';
import { describeControl, publishTask, request } from '../control.conformance.testkit.ts';
import type { BrokerTransport } from '../port.ts';
import { openAmqp, withBroker } from './broker.testkit.ts';
import { managementApi } from './management.ts';

let server: RabbitMqServer;
let transport: BrokerTransport;
let managed: BrokerTransport;
const logger = recordingLogger();
beforeAll(async () => {
  server = await startRabbitMq({ plugins: ['rabbitmq_management'] });
  transport = openAmqp(`${server.url}//`, recordingLogger());
  managed = openAmqp(`${server.url}//`, logger, {
    brokerApi: `http://guest:guest@127.0.0.1:${server.managementPort}/api/`,
  });
}, 90_000);
afterAll(async () => {
  await transport.close();
  await managed.close();
  await server.stop();
});

describeControl('rabbitmq', () =>
  Promise.resolve({
    transport,
    brokerUrl: `${server.url}//`,
    backend: testRedisUrl(),
    hasPriorities: false,
    canFindMessages: false,
    close: () => Promise.resolve(),
  }),
);

describe('task queues of RabbitMQ', () => {
  it.each([
    ['classic', {}],
    ['quorum', { 'x-queue-type': 'quorum' }],
    ['priority', { 'x-max-priority': 10 }],
  ])('a %s queue takes a task and tells its length', async (_kind, args) => {
    const queue = `tasks-${randomUUID()}`;
    await declare(queue, args);
    const ids = [3, 9].map((priority) => publishTask(transport, queue, { name: 'shop.add' }, { priority }));
    const expected = await Promise.all(ids);
    await waitUntil('both', async () => (await transport.tasks.depths([queue]))[0]?.messages === 2);
    expect(await transport.tasks.depths([queue])).toEqual([{ name: queue, messages: 2, consumers: 0 }]);
    expect(await transport.tasks.findMessage(expected[0] ?? '', [queue])).toBeUndefined();
    const first = await withBroker(server.url, async (model) => (await model.createChannel()).get(queue));
    if (first === false) throw new Error('the queue is empty');
    expect(first.properties.correlationId).toBe('x-max-priority' in args ? expected[1] : expected[0]);
    expect(first.properties).toMatchObject({ deliveryMode: 2, contentType: 'application/json', replyTo: '' });
    expect(first.properties.headers).toMatchObject({ lang: 'py', eta: null, timelimit: [null, null], retries: 0 });
  });

  it('a queue that is not there is refused, and counted as unknown', async () => {
    await expect(publishTask(transport, 'no-such-queue', { name: 'shop.add' })).rejects.toMatchObject({
      code: 'unknown-queue',
      field: 'queue',
    });
    const known = `tasks-${randomUUID()}`;
    await declare(known, {});
    await publishTask(transport, known, { name: 'shop.add' });
    expect(await transport.tasks.depths(['no-such-queue', known])).toEqual([
      { name: 'no-such-queue' },
      { name: known, messages: 1, consumers: 0 },
    ]);
    expect(await transport.tasks.names()).toEqual([]);
  });

  it('a queue that belongs to another connection has no length to tell', async () => {
    await withBroker(server.url, async (model) => {
      const { queue } = await (await model.createChannel()).assertQueue('', { exclusive: true });
      expect(await transport.tasks.depths([queue])).toEqual([{ name: queue }]);
    });
  });

  it('nobody listening to commands is told as 0 receivers', async () => {
    const alone = openAmqp(`${server.url}//`, recordingLogger(), { controlExchange: 'alone' });
    try {
      expect(await alone.control.cast(request('ping'))).toEqual({ receivers: 0 });
      const call = await alone.control.call(request('ping'), () => undefined);
      expect(call.receivers).toBe(0);
      await call.close();
    } finally {
      await alone.close();
    }
  });

  it('a broker that is away is BrokerUnavailable, with the reason', async () => {
    const away = openAmqp('amqp://guest:guest@127.0.0.1:1//', recordingLogger());
    await expect(away.control.cast(request('ping'))).rejects.toThrow(/Nothing listens on 127\.0\.0\.1:1/);
    await expect(away.tasks.depths(['celery'])).rejects.toThrow(/Nothing listens/);
    await expect(publishTask(away, 'celery', { name: 'shop.add' })).rejects.toThrow(/Nothing listens/);
    await away.close();
  });
});

describe('the management API', () => {
  it('tells names, unacknowledged messages and rates', async () => {
    const queue = `tasks-${randomUUID()}`;
    await declare(queue, {});
    await publishTask(managed, queue, { name: 'shop.add' });
    await publishTask(managed, queue, { name: 'shop.add' });
    await withBroker(server.url, async (model) => {
      const channel = await model.createChannel();
      await channel.get(queue);
      await waitUntil('the numbers', async () => {
        const [depth] = await managed.tasks.depths([queue]);
        return depth?.messages === 1 && depth.unacked === 1 && depth.publishRate !== undefined;
      });
    });
    expect(await managed.tasks.names()).toContain(queue);
    const [depth, none] = await managed.tasks.depths([queue, 'no-such-queue']);
    expect(depth).toMatchObject({ name: queue, consumers: 0, management: { name: queue, vhost: '/' } });
    expect(none).toEqual({ name: 'no-such-queue' });
    expect(logger.warnings).toEqual([]);
  });

  it('tells how old the first message is, where it has a timestamp', async () => {
    const queue = `tasks-${randomUUID()}`;
    await declare(queue, {});
    const sentS = Math.floor(Date.now() / 1000) - 600;
    await withBroker(server.url, async (model) => {
      const channel = await model.createConfirmChannel();
      channel.sendToQueue(queue, Buffer.from('{}'), { timestamp: sentS });
      await channel.waitForConfirms();
    });
    await waitUntil('its age', async () => (await managed.tasks.depths([queue]))[0]?.oldestMs === sentS * 1000);
  });

  it('says what is wrong without telling the password; lengths are asked for the other way then', async () => {
    const api = (userinfo: string, port: number) => `http://${userinfo}@127.0.0.1:${port}/api/`;
    const told = (url: string, vhost = '/') => expect(managementApi(url, vhost).queues()).rejects;
    await told(api('guest:s3cret-word', server.managementPort)).toThrow(/^(?!.*s3cret).*refuses the user \(401\)/);
    await told(api('guest:guest', 1)).toThrow(/does not answer: check --broker-api/);
    await told(api('guest:guest', server.managementPort), 'nowhere').toThrow(/no virtual host "nowhere"/);
    const warned = recordingLogger();
    const broken = openAmqp(`${server.url}//`, warned, { brokerApi: api('guest:wrong', server.managementPort) });
    const queue = `tasks-${randomUUID()}`;
    await declare(queue, {});
    expect(await broken.tasks.depths([queue])).toEqual([{ name: queue, messages: 0, consumers: 0 }]);
    expect(await broken.tasks.depths([queue])).toHaveLength(1);
    expect(warned.warnings).toHaveLength(1);
    await broken.close();
  });
});

async function declare(queue: string, args: Record<string, unknown>): Promise<void> {
  await withBroker(server.url, async (model) => {
    await (await model.createChannel()).assertQueue(queue, { durable: true, arguments: args });
  });
}
