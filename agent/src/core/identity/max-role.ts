import { lowerRole, ROLES, type Principal, type Role } from './principal.ts';

/** Header by which a proxy states the highest role that a request may act with. It lowers, it never raises. */
export const MAX_ROLE_HEADER = 'x-umbel-role';

/** The principal with the lower of its own role and the header's; a word that is no role is the lowest one. */
export function withMaxRole(principal: Principal, header: string | readonly string[] | undefined): Principal {
  if (header === undefined) return principal;
  const word = typeof header === 'string' ? header.trim().toLowerCase() : '';
  const stated: Role = ROLES.find((role) => role === word) ?? 'viewer';
  const role = lowerRole(principal.role, stated);
  return role === principal.role ? principal : { ...principal, role, ownRole: principal.role };
}
