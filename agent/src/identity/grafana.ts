import { decodeJwt, jwtVerify } from 'jose';
import { lowerRole, type Principal, type Role } from '../core/identity/principal.ts';
import { textClaim } from './claims.ts';
import { type KeyDeps, KeysUnavailable, remoteKeys } from './keys.ts';
import { faultOf } from './oidc.ts';
import { ASYMMETRIC_ALGORITHMS, type GrafanaOptions } from './options.ts';

const CLOCK_TOLERANCE_S = 30;

const ORG_ROLES: Readonly<Record<string, Role>> = { viewer: 'viewer', editor: 'editor', admin: 'admin' };

/** Adds to the owner of a shared token or JWT the Grafana user who acts behind it. Never rejects. */
export type GrafanaCheck = (principal: Principal, idToken: string) => Promise<Principal>;

/**
 * Reads `X-Grafana-Id`, which Grafana's proxy sets to a token of its own about the user who is logged in there.
 * Verified, the user's role in the organisation counts besides the token's, and the lower of the two is taken. Where
 * Grafana is known but the token does not hold, the role is the lowest; where no Grafana is known, only the name is
 * kept, as not verified. A JWT whose user it is himself keeps its role: there is no second person to count.
 */
export function grafanaCheck(options: GrafanaOptions | undefined, deps: KeyDeps): GrafanaCheck {
  if (options === undefined) return (principal, idToken) => Promise.resolve(merelyNamed(principal, idToken));
  const url = `${options.url.replace(/\/+$/, '')}/api/signing-keys/keys`;
  const getKey = remoteKeys(() => Promise.resolve(url), deps);
  return async (principal, idToken) => {
    try {
      const { payload } = await jwtVerify(idToken, getKey, {
        algorithms: [...ASYMMETRIC_ALGORITHMS],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(deps.clock.now()),
        requiredClaims: ['exp', 'aud'],
        ...(options.issuer === undefined ? {} : { issuer: issuersOf(options.issuer) }),
        ...(options.organisations === undefined ? {} : { audience: options.organisations.map((id) => `org:${id}`) }),
      });
      if (![payload.aud].flat().some((one) => /^org:\d+$/.test(one ?? ''))) throw new Error('of no organisation');
      if (isHimself(principal, payload)) return principal;
      const role = lowerRole(principal.role, orgRole(payload['role']));
      return { ...principal, role, via: 'grafana', grafanaUser: { login: loginOf(payload), verified: true } };
    } catch (error) {
      const reason = error instanceof KeysUnavailable ? "Grafana's keys cannot be read" : faultOf(error);
      deps.logger.debug({ reason }, 'a Grafana user could not be verified');
      return { ...merelyNamed(principal, idToken), role: 'viewer' };
    }
  };
}

/** Grafana puts its `root_url` there, which people write with a slash at its end or without. */
function issuersOf(issuer: string): string[] {
  const bare = issuer.replace(/\/+$/, '');
  return [bare, `${bare}/`];
}

/**
 * Whether the JWT is the user's own, forwarded by Grafana. Only where Grafana had the login from a provider too: whoever
 * has a password there may give himself the name of a program whose JWT many share, to keep its role.
 */
function isHimself({ via, name }: Principal, claims: Readonly<Record<string, unknown>>): boolean {
  if (via !== 'jwt' || textClaim(claims, 'authenticatedBy')?.startsWith('oauth_') !== true) return false;
  return [claims['username'], claims['email']].some(
    (one) => typeof one === 'string' && one.toLowerCase() === name.toLowerCase(),
  );
}

function merelyNamed(principal: Principal, idToken: string): Principal {
  try {
    return { ...principal, grafanaUser: { login: loginOf(decodeJwt(idToken)), verified: false } };
  } catch {
    return { ...principal, grafanaUser: { login: 'unreadable', verified: false } };
  }
}

function loginOf(claims: Readonly<Record<string, unknown>>): string {
  return (textClaim(claims, 'username', 'email', 'name', 'sub') ?? 'unnamed').slice(0, 200);
}

function orgRole(value: unknown): Role {
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  return Object.hasOwn(ORG_ROLES, word) ? (ORG_ROLES[word] ?? 'viewer') : 'viewer';
}
