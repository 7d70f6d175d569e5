import { createHash, timingSafeEqual } from 'node:crypto';
import type { NamedToken } from '../core/identity/credentials.ts';
import type { Principal } from '../core/identity/principal.ts';

/** Who owns a bearer token; undefined for an unknown one. Takes the same time for every token. */
export type TokenCheck = (token: string) => Principal | undefined;

export function tokenCheck(tokens: readonly NamedToken[]): TokenCheck {
  const known = tokens.map(({ name, role, token }) => ({
    digest: token.startsWith('sha256:') ? Buffer.from(token.slice('sha256:'.length), 'hex') : digestOf(token),
    principal: { name, role, via: 'token', verified: true } satisfies Principal,
  }));
  return (token) => {
    const given = digestOf(token);
    let owner: Principal | undefined;
    for (const { digest, principal } of known) if (timingSafeEqual(given, digest)) owner = principal;
    return owner;
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
