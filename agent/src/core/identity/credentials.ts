import { ROLES, type Role } from './principal.ts';

/** A user of basic authentication. */
export interface BasicUser {
  readonly name: string;
  /** The password as it is, or its hash: bcrypt (`$2b$…`) or scrypt (`$scrypt$ln=15,r=8,p=3$salt$hash`). */
  readonly secret: string;
}

/** A bearer token with a name for the audit. */
export interface NamedToken {
  readonly name: string;
  readonly role: Role;
  /** The token as it is, or `sha256:` and its SHA-256 in hex. */
  readonly token: string;
}

/** A text that holds no users, tokens or roles; the message names the fix and no secret. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,})\$([A-Za-z0-9+/]{20,})$/;

/** How a password is kept. */
export type Secret =
  | { readonly kind: 'plain' }
  | { readonly kind: 'bcrypt' }
  | {
      readonly kind: 'scrypt';
      readonly logN: number;
      readonly r: number;
      readonly p: number;
      readonly salt: string;
      readonly hash: string;
    };

/** @throws CredentialsError for what looks like a hash and is none */
export function secretKind(secret: string): Secret {
  if (BCRYPT.test(secret)) return { kind: 'bcrypt' };
  const [, logN, r, p, salt = '', hash = ''] = SCRYPT.exec(secret) ?? [];
  if (hash !== '') {
    const parts = { logN: Number(logN), r: Number(r), p: Number(p) };
    if (parts.logN < 10 || parts.logN > 18 || parts.r < 1 || parts.r > 16 || parts.p < 1 || parts.p > 16) {
      throw new CredentialsError('a scrypt hash must have ln from 10 to 18, and r and p from 1 to 16');
    }
    return { kind: 'scrypt', ...parts, salt, hash };
  }
  if (/^\$(2[abxy]?\$|scrypt\$)/.test(secret)) {
    throw new CredentialsError(
      'a hash is not whole; where a shell or Compose reads it, quote it, or write $$ for each $',
    );
  }
  return { kind: 'plain' };
}

/**
 * Users as Flower takes them: `user:password`, several between commas, on lines, or in several texts. A comma belongs
 * to a scrypt hash where it stands in one.
 * @throws CredentialsError
 */
export function parseUsers(texts: readonly string[]): readonly BasicUser[] {
  const users = pieces(texts).map((piece): BasicUser => {
    const colon = piece.indexOf(':');
    if (colon < 1) throw new CredentialsError('give user:password, several with commas between');
    const user = { name: piece.slice(0, colon), secret: piece.slice(colon + 1) };
    if (user.secret === '') throw new CredentialsError(`the user ${user.name} has no password`);
    secretKind(user.secret);
    return user;
  });
  unique(users, 'user');
  return users;
}

/**
 * Tokens: `name:role:token`, several between commas, on lines, or in several texts; or a JSON list of
 * `{"name", "role", "token"}`.
 * @throws CredentialsError
 */
export function parseTokens(texts: readonly string[]): readonly NamedToken[] {
  const tokens = texts.flatMap((text) =>
    text.trimStart().startsWith('[') ? fromJson(text) : pieces([text]).map(fromPiece),
  );
  unique(tokens, 'token');
  return tokens;
}

/** `name=role`, several between commas or in several texts. @throws CredentialsError */
export function parseRoles(texts: readonly string[]): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const piece of pieces(texts)) {
    const at = piece.lastIndexOf('=');
    if (at < 1) throw new CredentialsError('give name=role, like alice=viewer,bob=editor');
    roles.set(piece.slice(0, at).trim(), roleOf(piece.slice(at + 1)));
  }
  return roles;
}

function pieces(texts: readonly string[]): string[] {
  const found: string[] = [];
  for (const line of texts.flatMap((text) => text.split(/\r?\n/))) {
    for (const [index, part] of line.split(',').entries()) {
      const last = found.at(-1);
      if (index > 0 && last !== undefined && /:\$scrypt\$[^$]*$/.test(last))
        found[found.length - 1] = `${last},${part}`;
      else if (part.trim() !== '') found.push(part.trim());
    }
  }
  return found;
}

function fromPiece(piece: string): NamedToken {
  const [, name, role = '', token = ''] = /^([^:]+):([^:]+):(.+)$/.exec(piece) ?? [];
  if (name === undefined) throw new CredentialsError('give name:role:token, like grafana:editor:… ');
  return checked({ name, role, token });
}

function fromJson(text: string): NamedToken[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    // The reason of the parser would show a part of the text.
    throw new CredentialsError('this is no JSON; give [{"name": "grafana", "role": "editor", "token": "…"}]');
  }
  if (!Array.isArray(list)) throw new CredentialsError('give a JSON list of {"name", "role", "token"}');
  return list.map((entry: unknown) => checked((entry ?? {}) as Record<string, unknown>));
}

function checked({ name, role, token }: Record<string, unknown>): NamedToken {
  if (typeof name !== 'string' || name.trim() === '') throw new CredentialsError('every token needs a name');
  if (typeof token !== 'string' || !/^\S+$/.test(token)) {
    throw new CredentialsError(`the token ${name} must be a text without spaces`);
  }
  if (token.startsWith('sha256:') && !/^sha256:[0-9a-f]{64}$/i.test(token)) {
    throw new CredentialsError(`the token ${name} must have 64 hexadecimal digits after sha256:`);
  }
  return { name: name.trim(), role: roleOf(role), token };
}

function roleOf(word: unknown): Role {
  const text = typeof word === 'string' ? word.trim().toLowerCase() : '';
  const role = ROLES.find((known) => known === text);
  if (role === undefined) throw new CredentialsError(`a role must be one of ${ROLES.join(', ')}`);
  return role;
}

function unique(entries: readonly { readonly name: string }[], what: string): void {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (seen.has(name)) throw new CredentialsError(`the ${what} ${name} is given twice; each needs a name of its own`);
    seen.add(name);
  }
}
