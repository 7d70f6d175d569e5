import type { Clock } from '../lib/clock.ts';
import { clientKey, RateWindow } from '../lib/rate-window.ts';
import type { Passwords } from './passwords.ts';

/** A good password needs no new check for this long. */
const REMEMBER_MS = 5 * 60_000;
const MAX_REMEMBERED = 1000;

/** A failed attempt costs a fraction of a second of one core, so that all of them together are bounded, too. */
const FAILURES = { perKey: 10, overall: 60, windowMs: 60_000, maxKeys: 10_000 };
/** Tokens cannot be guessed and are cheap to check; counted apart, so that expired ones keep nobody from logging in. */
const TOKEN_FAILURES = { ...FAILURES, perKey: 20, overall: 600 };

export type LoginResult = 'good' | 'bad' | { readonly retryAfterMs: number };

/** Failed attempts, and passwords that were right a moment ago: those are let in even while their address is held off. */
export class Logins {
  readonly #passwords: Passwords;
  readonly #clock: Clock;
  readonly #failures = new RateWindow(FAILURES);
  readonly #tokenFailures = new RateWindow(TOKEN_FAILURES);
  readonly #goodUntilMs = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<LoginResult>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(passwords: Passwords, clock: Clock) {
    this.#passwords = passwords;
    this.#clock = clock;
  }

  /** A token was no good. The ms to wait when there were too many, else 0. */
  tokenFailed(address: string): number {
    return this.#tokenFailures.take(clientKey(address), this.#clock.now());
  }

  async check(name: string, password: string, address: string): Promise<LoginResult> {
    const fingerprint = this.#passwords.fingerprint(name, password);
    if ((this.#goodUntilMs.get(fingerprint) ?? 0) > this.#clock.now()) return 'good';
    // A dashboard asks twenty things at once: that is one attempt, not twenty.
    const same = `${clientKey(address)} ${fingerprint}`;
    const known = this.#underWay.get(same);
    if (known !== undefined) return known;
    const attempt = this.#attempt(name, password, address).finally(() => this.#underWay.delete(same));
    this.#underWay.set(same, attempt);
    return attempt;
  }

  async #attempt(name: string, password: string, address: string): Promise<LoginResult> {
    const key = clientKey(address);
    // Counted before it is checked: else many at once would all pass before the first has failed.
    const retryAfterMs = this.#failures.take(key, this.#clock.now());
    if (retryAfterMs > 0) return { retryAfterMs };
    const isGood = await this.#inTurn(() => this.#passwords.match(name, password));
    if (!isGood) return 'bad';
    this.#failures.giveBack(key);
    this.#remember(this.#passwords.fingerprint(name, password));
    return 'good';
  }

  /** One after the other: each takes tens of megabytes. */
  #inTurn(check: () => Promise<boolean>): Promise<boolean> {
    const result = this.#turn.then(check);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #remember(fingerprint: string): void {
    const nowMs = this.#clock.now();
    for (const [oldest, untilMs] of this.#goodUntilMs) {
      if (untilMs > nowMs && this.#goodUntilMs.size < MAX_REMEMBERED) break;
      this.#goodUntilMs.delete(oldest);
    }
    this.#goodUntilMs.set(fingerprint, nowMs + REMEMBER_MS);
  }
}
