import { startRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { describeReadsLikeFlower } from './flower.testkit.ts';

describeReadsLikeFlower(300, async () => {
  const [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  return { brokerUrl: `${rabbit.url}//`, backend: `${redis.url}/0` };
});
