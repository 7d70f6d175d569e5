import type { Config } from '../config/config.ts';
import { openTransport, type TransportDeps } from '../transport/index.ts';
import type { BrokerTransport } from '../transport/port.ts';
import { parseBrokerUrls } from '../transport/url.ts';
import { amqpOptions, redisOptions } from './settings.ts';

/**
 * The broker of the configuration, or the demo; `ownQueue` as in `AmqpTransportOptions`, default false.
 * @throws as `parseBrokerUrls` and `openTransport`
 */
export function transportOf(
  config: Config,
  deps: Pick<TransportDeps, 'clock' | 'logger'> & { readonly ownQueue?: boolean },
): BrokerTransport {
  const { clock, logger, ownQueue = false } = deps;
  const urls = parseBrokerUrls(config.broker.url ?? 'demo://');
  return openTransport(urls, {
    clock,
    logger,
    redis: redisOptions(config),
    amqp: { ...amqpOptions(config), ownQueue },
  });
}
