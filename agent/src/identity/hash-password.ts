import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { hash as bcryptHash, compare as bcryptCompare, truncates } from 'bcryptjs';
import { type Secret, secretKind } from '../core/identity/credentials.ts';

/** 32 MiB and about 0.2 s, OWASP's second choice of equal strength: several at once must fit into a small container. */
const COST = { logN: 15, r: 8, p: 3 } as const;
const HASH_BYTES = 32;

/** The scrypt hash of a password, in the form that `--basic-auth` takes. */
export async function hashPassword(password: string, cost: ScryptCost = COST): Promise<string> {
  return scryptText(await derive(password, randomBytes(16), cost), cost);
}

/** Memory is 128 · 2^logN · r bytes; the time grows with all three. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

interface Derived {
  readonly salt: Buffer;
  readonly key: Buffer;
}

function scryptText({ salt, key }: Derived, { logN, r, p }: ScryptCost): string {
  return `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(key)}`;
}

/** PHC's base64 has no padding. */
const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

function derive(password: string, salt: Buffer, { logN, r, p }: ScryptCost, length = HASH_BYTES): Promise<Derived> {
  const N = 2 ** logN;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) => {
      if (error === null) resolve({ salt, key });
      else reject(error);
    });
  });
}

/** A way to check a hash; hashes of one way take the same time. */
export interface HashWay {
  /** The same for all hashes that cost the same. */
  readonly id: string;
  matches(password: string, hash: string): Promise<boolean>;
  /** A hash of this cost that no password has. */
  nobody(): Promise<string>;
}

/** How a hash is checked; undefined for a plain password. @throws CredentialsError */
export function hashWay(secret: string): HashWay | undefined {
  const kind = secretKind(secret);
  if (kind.kind === 'scrypt') return scryptWay(kind);
  return kind.kind === 'bcrypt' ? bcryptWay(Number(secret.slice(4, 6))) : undefined;
}

function scryptWay(cost: Extract<Secret, { kind: 'scrypt' }>): HashWay {
  return {
    id: `scrypt ${cost.logN} ${cost.r} ${cost.p}`,
    async matches(password, text) {
      const parts = secretKind(text);
      if (parts.kind !== 'scrypt') return false;
      const wanted = Buffer.from(parts.hash, 'base64');
      const { key } = await derive(password, Buffer.from(parts.salt, 'base64'), parts, wanted.length);
      return timingSafeEqual(key, wanted);
    },
    nobody: () => Promise.resolve(scryptText({ salt: randomBytes(16), key: randomBytes(HASH_BYTES) }, cost)),
  };
}

function bcryptWay(rounds: number): HashWay {
  return {
    id: `bcrypt ${rounds}`,
    // It cuts a password after 72 bytes, so that any other ending would do; compared all the same, to take the same time.
    matches: async (password, text) => (await bcryptCompare(password, text)) && !truncates(password),
    nobody: () => bcryptHash(randomBytes(16).toString('hex'), rounds),
  };
}
