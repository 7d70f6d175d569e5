import { startRedis } from '../support/redis.ts';
import { describeReadsLikeFlower } from './flower.testkit.ts';

describeReadsLikeFlower(Number(process.env['UMBEL_TEST_CONTRACT_TASKS'] ?? 2000), async () => {
  const { url } = await startRedis();
  return { brokerUrl: `${url}/0`, backend: `${url}/0` };
});
