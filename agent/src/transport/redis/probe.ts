import { escapeGlob } from '../../lib/escape-glob.ts';
import type { ChannelOptions } from './channels.ts';
import type { RedisReply } from './resp-reader.ts';
import { connect, lenient, withDeadline } from './session.ts';
import type { ConnectDeps, RedisTarget } from './session.ts';
import type { RedisSocket } from './socket.ts';

const MOST_DATABASES = 32;

/**
 * Looks for the reason why no event comes: listens for a moment to whatever is named like the event exchange, and
 * looks for the workers' pidbox binding. Reads only. The answer is one sentence.
 */
export async function probeSilence(
  target: RedisTarget,
  options: ChannelOptions,
  listenMs: number,
  deps: ConnectDeps,
): Promise<string> {
  const { eventExchange = 'celeryev', keyPrefix = '' } = options;
  const binding = `${keyPrefix}_kombu.binding.celery.pidbox`;
  let heard: (channel: string) => void = () => undefined;
  const firstChannel = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const { clock, connectTimeoutMs, signal } = deps;
  // `pmessage`, pattern, channel, payload
  const onUnasked = (reply: RedisReply): void => {
    if (Array.isArray(reply) && typeof reply[2] === 'string') heard(reply[2]);
  };
  const socket = await connect(target, { clock, connectTimeoutMs, signal, onUnasked });
  try {
    const boundIn = await withDeadline(socket, deps, () => databasesWith(socket, binding, target.db));
    await lenient(socket.command('PSUBSCRIBE', `*${escapeGlob(eventExchange)}*`), ['NOPERM']);
    const silence = new Promise<undefined>((resolve) => {
      const cancel = clock.after(listenMs, () => resolve(undefined));
      void socket.ended.then(() => {
        cancel();
        resolve(undefined);
      });
    });
    const channel = await Promise.race([firstChannel, silence]);
    return channel === undefined
      ? explainBindings(boundIn, target.db, binding)
      : explainChannel(channel, target.db, options);
  } finally {
    socket.destroy();
  }
}

/** What to change so that events on `channel` are heard. */
export function explainChannel(channel: string, db: number, options: ChannelOptions): string {
  const { eventExchange = 'celeryev', keyPrefix = '', fanoutPrefix = true } = options;
  const head = channel.slice(0, Math.max(0, channel.lastIndexOf(eventExchange)));
  const [, prefix = '', number] = /^(.*?)(?:\/(\d+)\.)?$/s.exec(head) ?? [];
  const found = `Events are published on "${channel}"`;
  if (head === '' && fanoutPrefix !== false) return `${found}: the workers have fanout_prefix=False, set it here too.`;
  if (prefix !== keyPrefix) return `${found}: set the key prefix to "${prefix}".`;
  if (number === undefined) return `${found}: set the fanout prefix to "${head.slice(prefix.length)}".`;
  if (Number(number) !== db) return `${found}: use database ${number} in the broker URL instead of ${db}.`;
  return `${found}, which is not listened to: check fanout prefix, fanout patterns and event exchange.`;
}

function explainBindings(boundIn: readonly number[], db: number, binding: string): string {
  if (boundIn.includes(db)) {
    return (
      `No event came although workers have used database ${db}: check that they run and send events ` +
      '(celery worker -E, or celery control enable_events).'
    );
  }
  const other = boundIn[0];
  if (other !== undefined) {
    return `No event came, and workers have used database ${other}, not ${db}: check the number in the broker URL.`;
  }
  return (
    `No event came, and no worker has used database ${db} (there is no key "${binding}"): start a worker with -E, ` +
    'or check database number and key prefix.'
  );
}

async function databasesWith(socket: RedisSocket, key: string, db: number): Promise<number[]> {
  const info = await lenient(socket.command('INFO', 'keyspace'), ['NOPERM']);
  const listed = [...(typeof info === 'string' ? info : '').matchAll(/^db(\d+):/gm)].map((match) => Number(match[1]));
  const candidates = [...new Set([db, ...listed])].slice(0, MOST_DATABASES);
  const found: number[] = [];
  for (const candidate of candidates) {
    await lenient(socket.command('SELECT', String(candidate)), ['NOPERM', 'ERR']);
    const exists = await lenient(socket.command('EXISTS', key), ['NOPERM']);
    if (exists === 1) found.push(candidate);
  }
  return found;
}
