import type { Identity } from '../../core/identity/identify.ts';
import type { Principal, Role } from '../../core/identity/principal.ts';

/** Everybody is this one. */
export function everybodyIs(role: Role, members: Partial<Principal> = {}): Identity {
  const principal: Principal = { name: `the ${role}`, role, via: 'token', verified: true, ...members };
  return { signIn: true, hasPasswords: false, identify: () => Promise.resolve(principal) };
}
