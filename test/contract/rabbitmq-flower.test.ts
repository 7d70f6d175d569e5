import { relayInOneOrder } from '../support/amqp-events.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { describeReadsLikeFlower } from './flower.testkit.ts';

/** Where the workers publish. */
const eventExchange = 'shop.events';

/**
 * Both answers follow from the order in which events were heard: of a task whose task-sent came after its end, Celery
 * keeps the time of the sending. So both hear the same order.
 */
describeReadsLikeFlower(300, async () => {
  const [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  await relayInOneOrder(rabbit.url, eventExchange, 'celeryev');
  return { brokerUrl: `${rabbit.url}//`, backend: `${redis.url}/0`, eventExchange };
});
