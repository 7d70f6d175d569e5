import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import { escapeGlob } from '../lib/escape-glob.ts';
import { ANSWER_WITHIN_MS, withinDeadline } from './deadline.ts';
import { BackendUnavailable } from './port.ts';
import type { ResultBackend, StoredResult } from './port.ts';
import { stateBytes } from './state-bytes.ts';
import { groupOf, storedResult, unreadResult } from './stored-result.ts';
import { MAX_STORED, MAX_VALUE, readMembers, UnreadableValue } from './stored-value.ts';

/** A Redis server, or a sentinel, as a URL names it. */
export interface RedisAddress {
  readonly scheme: 'redis' | 'rediss' | 'redis+socket' | 'sentinel';
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly displayUrl: string;
  /** Present where TLS is wanted; reads the files it names. */
  readonly tlsOptions?: () => Promise<ConnectionOptions>;
}

export interface RedisBackendOptions {
  /** Several where they are sentinels. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** `result_backend_transport_options.global_keyprefix`. */
  readonly keyPrefix?: string;
  readonly masterName?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** For a state of a task that nothing is stored of yet; Celery's `result_expires`, default a day. */
  readonly expiresSeconds?: number;
  readonly clock: Clock;
}

const TASK_KEY = 'celery-task-meta-';
/** Ids asked for, and bytes fetched, in one round. */
const IDS_AT_ONCE = 500;
const BYTES_AT_ONCE = 16 << 20;
/** Bytes of a value that is read for its group alone. */
const MOST_FOR_GROUP = 64 << 10;

/** Writes only where nothing has changed since it was read (Celery's own check can be overtaken), and tells as Celery does. */
const STORE = `
local now = redis.call('GET', KEYS[1])
if (now and redis.sha1hex(now) or '') ~= ARGV[2] then return 0 end
if now then redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
elseif tonumber(ARGV[3]) > 0 then redis.call('SETEX', KEYS[1], ARGV[3], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1`;

/** Celery's Redis result backend (celery/backends/redis.py). Connects when it is first asked, and again by itself. */
export class RedisResultBackend implements ResultBackend {
  readonly displayUrl: string;
  readonly #options: RedisBackendOptions;
  readonly #prefix: string;
  #client: Promise<Redis> | undefined;
  #redis: Redis | undefined;
  #problem: string | undefined;
  #closed = false;

  constructor(options: RedisBackendOptions) {
    this.#options = options;
    this.displayUrl = options.addresses.map(({ displayUrl }) => displayUrl).join(';');
    this.#prefix = taskKeyPrefix(options.keyPrefix ?? '');
  }

  async get(taskId: string): Promise<StoredResult | undefined> {
    return (await this.getMany([taskId])).get(taskId);
  }

  async getMany(taskIds: readonly string[]): Promise<ReadonlyMap<string, StoredResult>> {
    const found = new Map<string, StoredResult>();
    for (let at = 0; at < taskIds.length; at += IDS_AT_ONCE) {
      const ids = taskIds.slice(at, at + IDS_AT_ONCE);
      const sizes = await this.#sizes(ids);
      await this.#read(ids, sizes, MAX_STORED, (id, stored) => keep(found, id, stored));
      for (const id of ids.filter((_, index) => (sizes[index] ?? 0) > MAX_STORED)) {
        found.set(id, await this.#headOf(id));
      }
    }
    return found;
  }

  async groupsOf(taskIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const groups = new Map<string, string>();
    for (let at = 0; at < taskIds.length; at += IDS_AT_ONCE) {
      const ids = taskIds.slice(at, at + IDS_AT_ONCE);
      await this.#read(ids, await this.#sizes(ids), MOST_FOR_GROUP, (id, stored) => {
        const group = groupOfStored(stored);
        if (group !== null) groups.set(id, group);
      });
    }
    return groups;
  }

  async *endedBetween(): AsyncGenerator<readonly string[]> {
    const match = `${escapeGlob(this.#prefix)}*`;
    let cursor = '0';
    do {
      const [next, keys] = await this.#ask((redis) => redis.scan(cursor, 'MATCH', match, 'COUNT', IDS_AT_ONCE));
      if (keys.length > 0) yield keys.map((key) => key.slice(this.#prefix.length));
      cursor = next;
    } while (cursor !== '0');
  }

  async storeState(taskId: string, status: string): Promise<void> {
    const key = this.#prefix + taskId;
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = (await this.#ask((redis) => redis.getBuffer(key))) ?? undefined;
      if (before !== undefined && statusOf(taskId, before) === 'SUCCESS') return;
      const value = stateBytes(taskId, status, before);
      const digest = before === undefined ? '' : createHash('sha1').update(before).digest('hex');
      const expires = this.#options.expiresSeconds ?? 86_400;
      if ((await this.#ask((redis) => redis.eval(STORE, 1, key, value, digest, expires))) === 1) return;
    }
    throw new BackendUnavailable(`the state of ${taskId} changes faster than it can be written`);
  }

  health(): { connected: boolean; problem?: string } {
    const connected = this.#redis?.status === 'ready' && this.#problem === undefined;
    return { connected, ...(this.#problem !== undefined && { problem: this.#problem }) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.catch(() => undefined);
    this.#redis?.disconnect();
  }

  async #read(
    ids: readonly string[],
    sizes: readonly number[],
    largest: number,
    take: (id: string, stored: Buffer) => void,
  ): Promise<void> {
    for (const round of rounds(ids, sizes, largest)) {
      const values = await this.#ask((redis) => redis.mgetBuffer(round.map((id) => this.#prefix + id)));
      round.forEach((id, index) => {
        const stored = values[index];
        if (stored !== null && stored !== undefined) take(id, stored);
      });
    }
  }

  async #sizes(ids: readonly string[]): Promise<readonly number[]> {
    return this.#ask(async (redis) => {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.strlen(this.#prefix + id);
      const replies = (await pipeline.exec()) ?? [];
      const failed = replies.find(([error]) => error !== null && !error.message.startsWith('WRONGTYPE'));
      if (failed?.[0]) throw failed[0];
      return replies.map(([, size]) => (typeof size === 'number' ? size : 0));
    });
  }

  /** Of a value too large to be read: its beginning, which names the state first. */
  async #headOf(id: string): Promise<StoredResult> {
    const key = this.#prefix + id;
    const [head, size] = await this.#ask(async (redis) => [
      (await redis.getrangeBuffer(key, 0, MAX_VALUE - 1)).toString('utf8'),
      await redis.strlen(key),
    ]);
    const begin = /^\{"status": "([A-Za-z_]+)", "result": /.exec(head);
    return unreadResult(
      id,
      begin?.[1] ?? 'UNKNOWN',
      `${head.slice(begin?.[0].length ?? 0)}… (cut: ${size} bytes in all)`,
    );
  }

  async #ask<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#closed) throw new BackendUnavailable('the result backend is closed');
    try {
      const answer = await withinDeadline(this.#options.clock, 'Redis', this.#connected().then(work));
      this.#problem = undefined;
      return answer;
    } catch (error) {
      this.#problem = this.#told(error);
      throw new BackendUnavailable(this.#problem, { cause: error });
    }
  }

  #told(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    const where = `the result backend ${this.displayUrl}`;
    if (/^(NOAUTH|WRONGPASS|ERR invalid password)/.test(text)) return `${where} refuses the login: check its password`;
    if (/^NOPERM/.test(text)) return `${where} does not allow it: ${text}`;
    return `${where} cannot be asked: ${text}`;
  }

  /** A failed set-up (a certificate that cannot be read) is tried again the next time. */
  #connected(): Promise<Redis> {
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #open(): Promise<Redis> {
    const redis = new Redis({ ...this.#shared(), ...(await this.#target()) });
    redis.on('error', (error) => (this.#problem = this.#told(error)));
    redis.on('ready', () => (this.#problem = undefined));
    this.#redis = redis;
    return redis;
  }

  #shared(): RedisOptions {
    return {
      lazyConnect: true,
      connectTimeout: ANSWER_WITHIN_MS,
      // What waits for a connection fails with it: a time-out here has given up on it anyhow.
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 200, 5000),
      connectionName: 'umbel-results',
      disconnectTimeout: 200,
    };
  }

  async #target(): Promise<RedisOptions> {
    const { addresses, masterName, sentinelUsername, sentinelPassword } = this.#options;
    const [first] = addresses;
    const { host, port, socketPath, db, username, password } = first;
    const tls = await first.tlsOptions?.();
    const login: RedisOptions = {
      db,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
    };
    if (first.scheme !== 'sentinel')
      return { ...login, ...(socketPath === undefined ? { host, port } : { path: socketPath }) };
    return {
      ...login,
      sentinels: addresses.map((address) => ({ host: address.host, port: address.port })),
      name: masterName ?? '',
      sentinelRetryStrategy: (times) => Math.min(times * 200, 5000),
      ...(sentinelUsername !== undefined && { sentinelUsername }),
      ...(sentinelPassword !== undefined && { sentinelPassword }),
    };
  }
}

/** celery/backends/base.py `_add_global_keyprefix`. */
export function taskKeyPrefix(globalPrefix: string): string {
  if (globalPrefix === '') return TASK_KEY;
  return `${globalPrefix}${/[:_\-.]$/.test(globalPrefix) ? '' : '_'}${TASK_KEY}`;
}

function keep(found: Map<string, StoredResult>, id: string, stored: Buffer): void {
  try {
    const result = storedResult(id, readMembers(stored));
    if (result !== undefined) found.set(id, result);
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    found.set(
      id,
      unreadResult(id, 'UNKNOWN', `<${stored.length} bytes that cannot be read: ${error.message.slice(0, 200)}>`),
    );
  }
}

function groupOfStored(stored: Buffer): string | null {
  try {
    return groupOf(readMembers(stored));
  } catch (error) {
    if (error instanceof UnreadableValue) return null;
    throw error;
  }
}

function statusOf(id: string, stored: Buffer): string | undefined {
  const found = new Map<string, StoredResult>();
  keep(found, id, stored);
  return found.get(id)?.status;
}

/** Ids whose values are there and not too large, so many at a time that they fit into memory. */
function rounds(ids: readonly string[], sizes: readonly number[], largest: number): string[][] {
  const all: string[][] = [];
  let bytes = Infinity;
  ids.forEach((id, index) => {
    const size = sizes[index] ?? 0;
    if (size === 0 || size > largest) return;
    bytes += size;
    if (bytes > BYTES_AT_ONCE) {
      all.push([]);
      bytes = size;
    }
    all.at(-1)?.push(id);
  });
  return all;
}
