import { describe, expect, it } from '@jest/globals';
import { maskReply } from './inspect-mask.ts';

describe('the mask of worker replies', () => {
  it('hides what Celery before 5.7 tells of its configuration', () => {
    const conf = {
      broker_url: 'redis://u:**@h/0',
      broker_read_url: 'amqp://u:s3cret@h//;amqp://u:s3cret@h2//',
      broker_transport_options: { sentinel_kwargs: { password: 's3cret', username: 'u' }, master_name: 'm' },
      task_routes: { 'app.*': { queue: 'q', routing_key: 'a.b' } },
      my_api_key: 's3cret',
      stripe: [{ SecretToken: 's3cret' }],
      redis_password: null,
      task_default_routing_key: 'celery',
      dashboards: 'https://h/?token=s3cret&x=1',
    };
    const masked = maskReply('conf', conf);
    expect(JSON.stringify(masked)).not.toContain('s3cret');
    expect(masked).toMatchObject({
      broker_url: 'redis://u:**@h/0',
      broker_transport_options: { sentinel_kwargs: { username: 'u' }, master_name: 'm' },
      task_routes: conf.task_routes,
      redis_password: null,
      task_default_routing_key: 'celery',
      dashboards: 'https://h/?token=**&x=1',
    });
  });

  it('drops the fail-over URLs of the broker, as Flower does, and keeps the rest of stats as it is', () => {
    const broker = { hostname: 'h', userid: 'u', alternates: ['amqp://u:s3cret@h2'], transport_options: {} };
    const stats = { broker, total: { 'app.reset_password': 3 }, pool: { 'max-concurrency': 2 } };
    expect(maskReply('stats', stats)).toEqual({
      ...stats,
      broker: { hostname: 'h', userid: 'u', transport_options: {} },
    });
  });

  it('goes through the lines of a report', () => {
    const report = "software -> celery:5.7\nbroker_url: 'redis://:s3cret@h/0'\nsecurity_password: 's3cret'\nqueue: 'q'";
    expect(maskReply('report', { ok: report })).toEqual({
      ok: "software -> celery:5.7\nbroker_url: 'redis://:**@h/0'\nsecurity_password: ********\nqueue: 'q'",
    });
  });

  it('leaves other replies alone', () => {
    const queues = [{ name: 'q', routing_key: 'q', password: 'x' }];
    expect(maskReply('active_queues', queues)).toBe(queues);
  });
});
