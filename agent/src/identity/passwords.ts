import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { truncates } from 'bcryptjs';
import type { BasicUser } from '../core/identity/credentials.ts';
import { type HashWay, hashWay } from './hash-password.ts';

interface Known extends BasicUser {
  readonly way: HashWay | undefined;
}

/**
 * Checks names and passwords. An unknown name takes the same time as a known one: each attempt is compared with every
 * plain password, and checked once in every way that any user's password is hashed in.
 */
export class Passwords {
  readonly #key = randomBytes(32);
  readonly #users: readonly Known[];
  readonly #nobody = new Map<string, Promise<string>>();

  /** @throws CredentialsError for a hash that is not whole */
  constructor(users: readonly BasicUser[]) {
    this.#users = users.map((user) => ({ ...user, way: hashWay(user.secret) }));
  }

  get size(): number {
    return this.#users.length;
  }

  has(name: string): boolean {
    return this.#users.some((user) => user.name === name);
  }

  /** Whether bcrypt, which any user's password is hashed by, would look at the beginning of the password alone. */
  isTooLong(password: string): boolean {
    return truncates(password) && this.#users.some(({ way }) => way?.id.startsWith('bcrypt ') === true);
  }

  /** A name for the pair that tells nothing about it, the same within this process only. */
  fingerprint(name: string, password: string): string {
    return this.#digest(`${name}:${password}`).toString('base64');
  }

  /** Whether there is such a user with such a password. */
  async match(name: string, password: string): Promise<boolean> {
    const given = this.#digest(`${name}:${password}`);
    let found = false;
    const ways = new Map<string, HashWay>();
    for (const { name: known, secret, way } of this.#users) {
      if (way !== undefined) ways.set(way.id, way);
      else found = timingSafeEqual(given, this.#digest(`${known}:${secret}`)) || found;
    }
    const user = this.#users.find((one) => one.name === name);
    for (const way of ways.values()) {
      const isOfUser = user?.way?.id === way.id;
      const hash = isOfUser ? user.secret : await this.#nobodyOf(way);
      const matches = await way.matches(password, hash);
      found = (isOfUser && matches) || found;
    }
    return found;
  }

  #nobodyOf(way: HashWay): Promise<string> {
    const known = this.#nobody.get(way.id) ?? way.nobody();
    this.#nobody.set(way.id, known);
    return known;
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
