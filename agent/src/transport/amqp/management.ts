import { isRecord } from '../../core/wire/envelope.ts';
import type { QueueDepth } from '../../core/control/service.ts';

const PATIENCE_MS = 5000;

/** RabbitMQ's management API, as far as queues go. */
export interface ManagementApi {
  /** All queues of the virtual host. @throws Error with a sentence that names the problem */
  queues(): Promise<readonly QueueDepth[]>;
}

/** `url` as Flower's `broker_api`: `http://user:password@host:15672/api/`. Asks nothing yet. */
export function managementApi(url: string, virtualHost: string): ManagementApi {
  const base = new URL(url);
  const { username, password } = base;
  const credentials = `${decodeURIComponent(username || 'guest')}:${decodeURIComponent(password || 'guest')}`;
  base.username = '';
  base.password = '';
  const path = base.pathname.replace(/\/+$/, '');
  base.pathname = `${path === '' ? '/api' : path}/queues/${encodeURIComponent(virtualHost)}`;
  const shown = `${base.protocol}//${base.host}`;
  const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return {
    queues: async () => {
      const answer = await fetch(base, { headers, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
        (error: unknown) => {
          throw new Error(`The management API at ${shown} does not answer: check --broker-api and the plugin.`, {
            cause: error,
          });
        },
      );
      if (answer.status === 401 || answer.status === 403) {
        throw new Error(
          `The management API at ${shown} refuses the user (${answer.status}): check --broker-api; the user needs the tag monitoring or management.`,
        );
      }
      if (answer.status === 404)
        throw new Error(`The management API at ${shown} knows no virtual host "${virtualHost}" (404).`);
      const body: unknown = answer.ok ? await answer.json() : undefined;
      if (!Array.isArray(body)) {
        throw new Error(
          `The management API at ${shown} answers ${answer.status}: check --broker-api, as http://HOST:15672/api/.`,
        );
      }
      return body.filter(isRecord).map(depthOf);
    },
  };
}

function depthOf(queue: Readonly<Record<string, unknown>>): QueueDepth {
  const stats = isRecord(queue['message_stats']) ? queue['message_stats'] : {};
  return {
    name: typeof queue['name'] === 'string' ? queue['name'] : '',
    ...number('messages', queue['messages_ready']),
    ...number('unacked', queue['messages_unacknowledged']),
    ...number('consumers', queue['consumers']),
    ...number('publishRate', rate(stats['publish_details'])),
    ...number('deliverRate', rate(stats['deliver_get_details'])),
    ...oldest(queue['head_message_timestamp']),
    management: queue,
  };
}

/** Epoch seconds; RabbitMQ tells it of classic queues whose messages have the property `timestamp`. */
function oldest(timestamp: unknown): Pick<QueueDepth, 'oldestMs'> {
  return typeof timestamp === 'number' && timestamp > 0 ? { oldestMs: timestamp * 1000 } : {};
}

function rate(details: unknown): unknown {
  return isRecord(details) ? details['rate'] : undefined;
}

function number<K extends string>(key: K, value: unknown): Partial<Record<K, number>> {
  return typeof value === 'number' ? ({ [key]: value } as Record<K, number>) : {};
}
