import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { openAmqpTransport } from './amqp/transport.ts';
import type { AmqpTransportOptions } from './amqp/transport.ts';
import { openDemoTransport } from './demo/transport.ts';
import type { BrokerTransport } from './port.ts';
import { openRedisTransport } from './redis/transport.ts';
import type { RedisTransportOptions } from './redis/transport.ts';
import { BrokerUrlError } from './url-parts.ts';
import type { BrokerUrl } from './url.ts';

export interface TransportDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redis?: RedisTransportOptions;
  readonly amqp?: AmqpTransportOptions;
}

/**
 * The transport that speaks to `urls`, as `parseBrokerUrls` gives them. Connects only when listened to.
 * @throws BrokerUrlError where there is no such transport; PlainProblem where an option is missing
 */
export function openTransport(urls: readonly BrokerUrl[], deps: TransportDeps): BrokerTransport {
  const { clock, logger } = deps;
  const [first] = urls;
  if (first === undefined) throw new BrokerUrlError(1, 'url', 'there is none', 'write it as redis://HOST:PORT/DB');
  switch (first.transport) {
    case 'redis': {
      const redisUrls = urls.filter((url) => url.transport === 'redis');
      return openRedisTransport({ urls: redisUrls, clock, logger, ...(deps.redis && { options: deps.redis }) });
    }
    case 'demo': {
      const { seed, tasksPerSecond } = first;
      return openDemoTransport({
        clock,
        logger,
        ...(seed !== undefined && { seed }),
        ...(tasksPerSecond !== undefined && { tasksPerSecond }),
      });
    }
    case 'amqp': {
      const amqpUrls = urls.filter((url) => url.transport === 'amqp');
      return openAmqpTransport({ urls: amqpUrls, clock, logger, ...(deps.amqp && { options: deps.amqp }) });
    }
  }
}
