import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** Keys are read again after this time, … */
const REFRESH_MS = 10 * 60_000;
/** … at once for a key they do not hold, but not more often than this, … */
const COOLDOWN_MS = 30_000;
/** … nor than this after a failure; and while they cannot be read the old ones count for this long. */
const RETRY_MS = 5000;
const STALE_MS = 60 * 60_000;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 1024 * 1024;

/** The keys cannot be read, so a token can neither be trusted nor called wrong. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface KeyDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Held {
  readonly keys: LocalJWKSet;
  readonly loadedMs: number;
}

/**
 * The public keys at an address, read when they are first needed and kept.
 *
 * @param locate the address; asked again for each reading. May reject.
 */
export function remoteKeys(locate: () => Promise<string>, { clock, logger }: KeyDeps): JWTVerifyGetKey {
  let held: Held | undefined;
  let triedMs = -Infinity;
  let failed = false;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    triedMs = clock.now();
    try {
      const url = await locate();
      const set = (await readJson(url)) as JSONWebKeySet;
      held = { keys: createLocalJWKSet(set), loadedMs: clock.now() };
      failed = false;
    } catch (error) {
      failed = true;
      logger.warn({ err: error }, 'keys that signatures are checked with cannot be read');
    }
  }

  /** One reading at a time, for all who wait for it. */
  const loadOnce = (): Promise<void> => (loading ??= load().finally(() => (loading = undefined)));

  async function current(): Promise<LocalJWKSet> {
    const age = (): number => clock.now() - (held?.loadedMs ?? -Infinity);
    if (loading !== undefined && held === undefined) await loading;
    if (age() > REFRESH_MS && clock.now() - triedMs >= RETRY_MS) await loadOnce();
    if (held === undefined || age() > STALE_MS) throw new KeysUnavailable('the keys cannot be read');
    return held.keys;
  }

  return async (header, token) => {
    const keys = await current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (clock.now() - triedMs < (failed ? RETRY_MS : COOLDOWN_MS)) throw error;
      await loadOnce();
      if (failed) throw new KeysUnavailable('the keys cannot be read', { cause: error });
      return (await current())(header, token);
    }
  };
}

/** The JSON at an address. Rejects when it is not there within 5 s, too long, or moved elsewhere. */
export async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += (piece as Uint8Array).length;
    if (bytes > MAX_BYTES) throw new Error(`${url} answers more than ${MAX_BYTES} bytes`);
    pieces.push(piece as Uint8Array);
  }
  return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
}
