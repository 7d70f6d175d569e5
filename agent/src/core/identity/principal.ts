/** What a request may do; each includes the ones before it. */
export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export interface Principal {
  /** User name, token name, or `anonymous`. */
  readonly name: string;
  readonly role: Role;
  /** What it has by itself, where a proxy lowered `role`. */
  readonly ownRole?: Role;
  readonly via: 'anonymous' | 'basic' | 'token' | 'jwt' | 'grafana';
  /** `name` was proven by a password, a signature or a secret of its own; false for a user a proxy merely names. */
  readonly verified: boolean;
  /** The Grafana user behind a shared token, as far as known. */
  readonly grafanaUser?: { readonly login: string; readonly verified: boolean };
}

export function mayAct(have: Role, need: Role): boolean {
  return ROLES.indexOf(have) >= ROLES.indexOf(need);
}

export function lowerRole(one: Role, other: Role): Role {
  return mayAct(one, other) ? other : one;
}
