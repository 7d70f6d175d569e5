import { escapeGlob } from '../../lib/escape-glob.ts';

/** How the cluster names its event channels; every worker of a cluster agrees on these (celery-wire 3.1). */
export interface ChannelOptions {
  /** Transport option `global_keyprefix`. Default: empty. */
  readonly keyPrefix?: string;
  /** Transport option `fanout_prefix`: true is `/{db}.`, false is none, a string is taken as it is. Default: true. */
  readonly fanoutPrefix?: boolean | string;
  /** Transport option `fanout_patterns`: false means that the routing key is no part of the channel. Default: true. */
  readonly fanoutPatterns?: boolean;
  /** Celery's `event_exchange`. Default: `celeryev`. */
  readonly eventExchange?: string;
}

/** One PSUBSCRIBE. */
export interface EventPattern {
  readonly pattern: string;
  /** Without it no events come; the others cover unusual set-ups and may be refused by an ACL. */
  readonly required: boolean;
}

/**
 * The patterns under which events of the database `db` are published (kombu/transport/redis.py `_get_publish_topic`).
 * `literalDb` adds the name that kombu < 5.4 used with sentinels: `{db}` was never replaced there.
 */
export function eventPatterns(db: number, options: ChannelOptions, literalDb: boolean): EventPattern[] {
  const { keyPrefix = '', fanoutPrefix = true, fanoutPatterns = true, eventExchange = 'celeryev' } = options;
  const template = fanoutPrefix === true ? '/{db}.' : fanoutPrefix === false ? '' : fanoutPrefix;
  const prefixes = [template.replaceAll('{db}', String(db))];
  if (literalDb && template.includes('{db}')) prefixes.push(template);
  return prefixes.flatMap((prefix, index) => {
    const channel = keyPrefix + prefix + eventExchange;
    const escaped = escapeGlob(channel);
    return [
      { pattern: `${escaped}/*`, required: index === 0 && fanoutPatterns },
      { pattern: escaped, required: index === 0 && !fanoutPatterns },
    ];
  });
}
