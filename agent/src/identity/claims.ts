import { mayAct, type Role } from '../core/identity/principal.ts';

/** What a claim's name or dotted path leads to; a name with dots in it is tried as it is first. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** The highest role that a claim's values stand for: a list, or a text with spaces or commas between. */
export function roleFrom(value: unknown, roles: ReadonlyMap<string, Role>): Role | undefined {
  const values = Array.isArray(value) ? value : typeof value === 'string' ? [value, ...value.split(/[\s,]+/)] : [];
  let highest: Role | undefined;
  for (const one of values) {
    const role = typeof one === 'string' ? roles.get(one) : undefined;
    if (role !== undefined && (highest === undefined || mayAct(role, highest))) highest = role;
  }
  return highest;
}

/** The first of the claims that holds a text. */
export function textClaim(claims: Readonly<Record<string, unknown>>, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = claims[name];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}
