import { startRedis } from '../../../../test/support/redis.ts';
import { systemClock } from '../../lib/clock.ts';
import { recordingLogger } from '../conformance.testkit.ts';
import { describeControl } from '../control.conformance.testkit.ts';
import { parseBrokerUrls } from '../url.ts';
import { openRedisTransport } from './transport.ts';

describeControl('redis', async () => {
  const redis = await startRedis();
  const brokerUrl = `${redis.url}/3`;
  const urls = parseBrokerUrls(brokerUrl).filter((url) => url.transport === 'redis');
  const transport = openRedisTransport({ urls, clock: systemClock, logger: recordingLogger() });
  return {
    transport,
    brokerUrl,
    hasPriorities: true,
    canFindMessages: true,
    close: async () => {
      await transport.close();
      await redis.kill();
    },
  };
});
