import { expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { queryRows } from '../support/database.ts';
import { getObject } from '../support/http.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const QUEUE_BYTES = 1024 ** 2;
/** Received, started and ended: the task, its time in the queue and its run. */
const SPANS_PER_TASK = 3;

interface Sent {
  readonly sent: number;
  readonly refused: number;
  readonly overflow: number;
  readonly waiting: number;
  readonly bytes: number;
  readonly errors: number;
  readonly up: number;
}

async function traces(agent: RunningAgent): Promise<Sent> {
  const scrape = await agent.metrics();
  const of = (name: string, more = {}): number => scrape.sum(`umbel_otlp_${name}`, { signal: 'traces', ...more });
  return {
    sent: of('sent_total'),
    refused: of('dropped_total', { reason: 'refused' }),
    overflow: of('dropped_total', { reason: 'overflow' }),
    waiting: of('waiting'),
    bytes: of('waiting_bytes'),
    errors: of('errors_total'),
    up: of('up'),
  };
}

const storedTasks = async (agent: RunningAgent): Promise<number> => {
  const [row] = await queryRows<{ ended: number }>(
    agent.databaseUrl,
    `select count(*)::int as ended from celery_tasks where state in ('SUCCESS', 'FAILURE')`,
  );
  return row?.ended ?? 0;
};

/** A receiver in the place of Tempo and Loki that is down, mute or overloaded, and real load on a real Redis meanwhile. */
it('holds up nothing, bounds its memory and counts what it drops while the receiver is away, and recovers', async () => {
  const [redis, receiver] = await Promise.all([startRedis(), startOtlpReceiver({ isClosed: true })]);
  const args = ['--otlp-endpoint', receiver.url, '--otlp-queue-size', '1MB', '--otlp-timeout', '1s'];
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, args });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'the agent listening');
  let published = 0;

  /** Everything of the load is in the history, and all its spans were made. */
  const load = async (tasks: number): Promise<Sent> => {
    await startPublisher({ redisUrl: redis.url, tasks, rate: 6000 }).done;
    published += tasks;
    await waitFor(async () => (await storedTasks(agent)) === published, 60_000, 'the load being stored');
    return waitFor(
      async () => {
        const now = await traces(agent);
        expect(now.bytes).toBeLessThanOrEqual(QUEUE_BYTES);
        return now.sent + now.refused + now.overflow + now.waiting === published * SPANS_PER_TASK ? now : undefined;
      },
      30_000,
      'every span being made',
    );
  };

  const whileDown = await load(2000);
  expect(whileDown).toMatchObject({ sent: 0, refused: 0 });
  expect(whileDown.overflow).toBeGreaterThan(0);
  await waitFor(async () => (await traces(agent)).up === 0, 30_000, 'the receiver counting as down');
  const { otlp } = await getObject(`${agent.url}/api/v1/status`);
  expect(otlp).toContainEqual(
    expect.objectContaining({ signal: 'traces', connected: false, problem: expect.stringContaining('ECONNREFUSED') }),
  );

  receiver.manner = 'silent';
  await receiver.open();
  const whileMute = await load(1000);
  expect(whileMute).toMatchObject({ sent: 0, refused: 0, up: 0 });
  await waitFor(() => receiver.requests.length > 0, 60_000, 'a request to the mute receiver');

  receiver.manner = { status: 429, retryAfter: 1 };
  const errorsBefore = (await traces(agent)).errors;
  const whileBusy = await load(500);
  await waitFor(async () => (await traces(agent)).errors > errorsBefore, 60_000, 'an answer of 429');
  expect(whileBusy).toMatchObject({ sent: 0, refused: 0, up: 0 });

  receiver.manner = 'take';
  const whole = await waitFor(
    async () => {
      const now = await traces(agent);
      return now.waiting === 0 && now.up === 1 ? now : undefined;
    },
    90_000,
    'the receiver having everything',
  );
  expect(whole.sent).toBe(receiver.spans.length);
  expect(whole.sent + whole.overflow).toBe(published * SPANS_PER_TASK);
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(receiver.spans.length);

  // By OTLP a 500 must not be repeated: what it answers is lost, and counted.
  receiver.manner = { status: 500 };
  await load(20);
  await waitFor(async () => (await traces(agent)).waiting === 0, 60_000, 'the refusal');
  const refused = await traces(agent);
  expect(refused).toMatchObject({ sent: whole.sent, refused: 20 * SPANS_PER_TASK, up: 1 });

  receiver.manner = 'take';
  await load(20);
  await waitFor(async () => (await traces(agent)).sent === whole.sent + 20 * SPANS_PER_TASK, 60_000, 'the last spans');
}, 400_000);
