import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCelery } from '../../../test/support/celery.ts';
import type { CeleryWorker } from '../../../test/support/celery.ts';
import { waitFor } from '../../../test/support/wait.ts';
import type { ControlRequest, Target, WorkerAnswer } from '../core/control/command.ts';
import type { NewTask, TaskOptions } from '../core/control/service.ts';
import { openMessage } from '../core/wire/envelope.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { buildTaskMessage } from '../core/wire/task-message.ts';
import { messagesOf } from './conformance.testkit.ts';
import type { BrokerTransport } from './port.ts';

/** A broker with real workers on it; one for the whole battery. */
export interface ControlHarness {
  readonly transport: BrokerTransport;
  /** For Celery. */
  readonly brokerUrl: string;
  /** Celery's result backend; default the broker. */
  readonly backend?: string;
  /** Urgent messages are counted although they lie apart; false where priorities need a queue of their own kind. */
  readonly hasPriorities: boolean;
  /** Waiting messages can be looked at (not on RabbitMQ). */
  readonly canFindMessages: boolean;
  close(): Promise<void>;
}

const ALL: Target = { kind: 'all' };

/** A command of the battery. */
export function request(method: string, target: Target = ALL, args: ControlRequest['arguments'] = {}): ControlRequest {
  return { method, target, arguments: args };
}

/** Sends, and waits until `expected` workers have answered. */
export async function ask(
  transport: BrokerTransport,
  command: ControlRequest,
  expected: number,
  timeoutMs = 15_000,
): Promise<WorkerAnswer[]> {
  const answers: WorkerAnswer[] = [];
  const call = await transport.control.call(command, (answer) => answers.push(answer));
  try {
    await waitFor(() => answers.length >= expected, timeoutMs, `${expected} answers to ${command.method}`);
    return answers.sort((a, b) => a.worker.localeCompare(b.worker));
  } finally {
    await call.close();
  }
}

/** Publishes a task of the test app; resolves to its id. */
export async function publishTask(
  { tasks }: BrokerTransport,
  queue: string,
  task: Partial<NewTask> & { readonly name: string },
  options: TaskOptions = {},
): Promise<string> {
  const id = randomUUID();
  const message = buildTaskMessage(
    { argsJson: '[]', kwargsJson: '{}', ...task, options },
    { id, origin: `umbel@${hostname()}`, nowMs: Date.UTC(2026, 0, 1) },
  );
  await tasks.publish(message, queue);
  return id;
}

/** What every transport's `control` and `tasks` promise, proved on two workers of Celery 5.7 with prefork pools. */
export function describeControl(name: string, makeHarness: () => Promise<ControlHarness>): void {
  describe(`${name}: control and tasks of a real cluster`, () => {
    let harness: ControlHarness;
    let transport: BrokerTransport;
    let one: CeleryWorker;
    let two: CeleryWorker;

    beforeAll(async () => {
      harness = await makeHarness();
      ({ transport } = harness);
      const { brokerUrl, backend } = harness;
      const common = { brokerUrl, ...(backend !== undefined && { backend }), concurrency: 1 };
      [one, two] = await Promise.all([
        startCelery({ ...common, name: 'one', queues: ['celery'] }),
        startCelery({ ...common, name: 'two', queues: ['emails'] }),
      ]);
      // A worker says that it is ready a moment before it listens.
      await waitFor(
        async () => (await ask(transport, request('ping'), 2, 1000)).length === 2,
        20_000,
        'both listening',
      );
    }, 90_000);
    afterAll(async () => {
      await Promise.all([one.stop(), two.stop()]);
      await harness.close();
    }, 30_000);

    const reply = async (command: ControlRequest): Promise<unknown> => {
      const [answer] = await ask(transport, command, 1);
      return answer?.ok === true ? answer.reply : answer;
    };
    const only = (worker: CeleryWorker): Target => ({ kind: 'workers', workers: [worker.nodeName] });

    it('ping reaches everybody', async () => {
      const answers = await ask(transport, request('ping'), 2);
      expect(answers).toEqual(
        [one, two].map(({ nodeName }) => ({ worker: nodeName, ok: true, reply: { ok: 'pong' } })),
      );
    });

    it('several commands at once keep their answers apart', async () => {
      const methods = ['ping', 'clock', 'active', 'revoked'];
      const answers = await Promise.all(methods.map((method) => ask(transport, request(method), 2)));
      const replies = answers.map(([answer]) => (answer?.ok === true ? answer.reply : answer));
      expect(replies).toEqual([{ ok: 'pong' }, { clock: expect.any(Number) }, [], []]);
    });

    it('a destination, a glob and a regular expression reach whom they name', async () => {
      const targets: Target[] = [
        only(two),
        { kind: 'pattern', pattern: 't[vw]o@*', matcher: 'glob' },
        { kind: 'pattern', pattern: 'two@', matcher: 'pcre' },
      ];
      for (const target of targets) {
        const answers: WorkerAnswer[] = [];
        const call = await transport.control.call(request('ping', target), (answer) => answers.push(answer));
        // The other one would have answered by the time that both have answered a later question.
        await ask(transport, request('ping'), 2);
        await waitFor(() => answers.length > 0);
        await call.close();
        expect(answers.map(({ worker }) => worker)).toEqual([two.nodeName]);
      }
    });

    it('stats, registered and active_queues tell about the worker', async () => {
      expect(await reply(request('stats', only(one)))).toMatchObject({
        pid: expect.any(Number) as unknown,
        pool: { 'max-concurrency': 1, processes: [expect.any(Number)] },
      });
      expect(await reply(request('registered', only(one)))).toEqual(expect.arrayContaining(['shop.add', 'shop.echo']));
      expect(await reply(request('active_queues', only(two)))).toMatchObject([{ name: 'emails' }]);
    });

    it("passes on a worker's own error text", async () => {
      const [answer] = await ask(transport, request('no_such_command', only(one)), 1);
      expect(answer).toEqual({ worker: one.nodeName, ok: false, error: "KeyError('no_such_command')" });
    });

    it('a cast takes effect', async () => {
      await transport.control.cast(request('add_consumer', only(two), { queue: 'reports' }));
      await waitFor(async () => JSON.stringify(await reply(request('active_queues', only(two)))).includes('reports'));
    });

    it('a published task runs with the arguments it was sent', async () => {
      const argsJson = '[12345678901234567890, 1.0, "\\u00e9 ☃", {"a": null}]';
      const id = await publishTask(transport, 'celery', { name: 'shop.echo', argsJson, kwargsJson: '{"x": 1e3}' });
      const done = await one.printed(new RegExp(`${id}\\] succeeded in [-\\d.e]+s: (.*)`), 15_000);
      expect(done[1]).toBe("{'args': (12345678901234567890, 1.0, 'é ☃', {'a': None}), 'kwargs': {'x': 1000.0}}");
    });

    it('an announced task is heard as an event', async () => {
      const heard: RawMessage[] = [];
      transport.consumeEvents({
        onMessage: (message) => void heard.push(...messagesOf(message)),
        onGap: () => undefined,
      });
      await waitFor(() => transport.health().connected);
      const event = { type: 'task-sent', hostname: 'umbel@h', uuid: randomUUID(), name: 'é', queue: 'celery' };
      await transport.tasks.announce(event);
      const isIt = (message: RawMessage): boolean => {
        const opened = openMessage(message);
        return 'body' in opened && isDeepStrictEqual(opened.body, event);
      };
      await waitFor(() => heard.some(isIt));
    });

    it('waiting messages are counted and found, and nothing is taken', async () => {
      const queue = `quiet-${randomUUID()}`;
      await transport.control.cast(request('add_consumer', only(two), { queue })); // makes RabbitMQ declare it
      await waitFor(async () => JSON.stringify(await reply(request('active_queues', only(two)))).includes(queue));
      await reply(request('cancel_consumer', only(two), { queue }));
      await waitFor(async () => !JSON.stringify(await reply(request('active_queues', only(two)))).includes(queue));
      const priorities = harness.hasPriorities ? [0, 1, 5, 9] : [0, 0, 0, 0];
      const ids: string[] = [];
      for (const priority of priorities) {
        ids.push(await publishTask(transport, queue, { name: 'shop.add', argsJson: '[1, 2]' }, { priority }));
      }
      const depths = () => transport.tasks.depths([queue, 'celery']);
      await waitFor(async () => (await depths())[0]?.messages === 4);
      expect((await depths())[1]).toMatchObject({ name: 'celery', messages: 0 });
      if (harness.canFindMessages) {
        for (const id of ids) {
          const found = await transport.tasks.findMessage(id, ['celery', queue]);
          if (found === undefined) throw new Error('not found');
          expect(openMessage(found)).toMatchObject({ body: [[1, 2], {}, expect.any(Object)] });
        }
        expect(await transport.tasks.findMessage(randomUUID(), [queue])).toBeUndefined();
      }
      expect((await depths())[0]?.messages).toBe(4);
      await transport.control.cast(request('add_consumer', only(two), { queue }));
      await two.printed(new RegExp(`${ids.at(-1) ?? ''}\\] succeeded`), 15_000);
      await waitFor(async () => (await depths())[0]?.messages === 0);
    });

    it('an expired task does not run', async () => {
      const id = await publishTask(transport, 'celery', { name: 'shop.add', argsJson: '[1, 2]' }, { expiresMs: 1000 });
      const later = await publishTask(transport, 'celery', { name: 'shop.add', argsJson: '[1, 2]' });
      await one.printed(new RegExp(`${later}\\] succeeded`), 15_000);
      expect(one.output()).not.toContain(`${id}] succeeded`);
    });

    it('a prefetched message is found and counted as unacknowledged', async () => {
      if (!harness.canFindMessages) return;
      const etaMs = Date.UTC(2090, 0, 1);
      const id = await publishTask(transport, 'celery', { name: 'shop.add', argsJson: '[3, 4]' }, { etaMs });
      await waitFor(async () => (await transport.tasks.depths(['celery']))[0]?.unacked === 1);
      const found = await transport.tasks.findMessage(id, ['celery']);
      expect(found && openMessage(found)).toMatchObject({ body: [[3, 4], {}, expect.any(Object)] });
      const revoke = { task_id: id };
      expect(await reply(request('revoke', only(one), revoke))).toEqual({ ok: `tasks {'${id}'} flagged as revoked` });
    });
  });
}
