import type { Config } from '../config/config.ts';
import { createMasker, NO_MASK } from '../core/mask/mask.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { Clock } from '../lib/clock.ts';
import { isUnreadable, openResultBackend, type ResultBackendDeps } from '../results/open.ts';
import type { ResultBackend } from '../results/port.ts';
import type { RedisAddress } from '../results/redis.ts';
import { tlsOptions } from '../transport/redis/tls.ts';
import { parseBrokerUrls } from '../transport/url.ts';

/** What takes secrets out of events, replies and the audit. */
export function maskerOf({ privacy }: Config): Masker {
  return privacy.mask ? createMasker(privacy.maskKeys) : NO_MASK;
}

/** The result backend of the configuration, or what keeps it from being read. @throws Error that names the fix */
export function openResults(
  config: Config,
  clock: Clock,
): { readonly backend?: ResultBackend; readonly problem?: string } {
  const url = config.broker.resultBackend;
  if (url === undefined) return {};
  const opened = openResultBackend(url, resultBackendDeps(config, clock));
  return isUnreadable(opened) ? { problem: `--result-backend: ${opened.unreadable}` } : { backend: opened };
}

/** For `openResultBackend`, which reads Redis' URLs with the broker's own reader. */
function resultBackendDeps({ broker }: Config, clock: Clock): ResultBackendDeps {
  const { username, password } = { ...broker.resultSentinelKwargs };
  return {
    clock,
    parseRedis: redisAddresses,
    keyPrefix: broker.resultKeyPrefix,
    table: broker.resultTable,
    ...(broker.resultSchema !== undefined && { schema: broker.resultSchema }),
    ...(broker.resultMasterName !== undefined && { masterName: broker.resultMasterName }),
    ...(typeof username === 'string' && { sentinelUsername: username }),
    ...(typeof password === 'string' && { sentinelPassword: password }),
  };
}

/** @throws Error that names the part of the URL and the fix */
function redisAddresses(urls: string): readonly RedisAddress[] {
  return parseBrokerUrls(urls).map((url) => {
    if (url.transport !== 'redis') throw new Error(`--result-backend: ${url.displayUrl} is no Redis`);
    const { tls, ...address } = url;
    return { ...address, ...(tls !== undefined && { tlsOptions: () => tlsOptions(tls, url.host) }) };
  });
}
