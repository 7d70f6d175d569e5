import { errors, jwtVerify, type JWTVerifyOptions } from 'jose';
import type { Refusal } from '../core/identity/identify.ts';
import type { Principal, Role } from '../core/identity/principal.ts';
import { claimAt, roleFrom, textClaim } from './claims.ts';
import { type KeyDeps, KeysUnavailable, readJson, remoteKeys } from './keys.ts';
import { ASYMMETRIC_ALGORITHMS, type OidcOptions } from './options.ts';

const DEFAULT_ROLES: ReadonlyMap<string, Role> = new Map([
  ['umbel-viewer', 'viewer'],
  ['umbel-editor', 'editor'],
  ['umbel-admin', 'admin'],
]);

/** Who a JWT of the provider names. Never rejects. */
export type JwtCheck = (token: string) => Promise<Principal | Refusal>;

/** Checks access tokens of one provider: signature, issuer, audience and times. */
export function oidcCheck(options: OidcOptions, deps: KeyDeps): JwtCheck {
  const getKey = remoteKeys(() => Promise.resolve(options.jwksUri ?? discover(options.issuer)), deps);
  const allowed = options.algorithms ?? ASYMMETRIC_ALGORITHMS;
  const algorithms = ASYMMETRIC_ALGORITHMS.filter((one) => allowed.includes(one));
  return async (token) => {
    const checks: JWTVerifyOptions = {
      algorithms,
      issuer: options.issuer,
      audience: [...options.audience],
      clockTolerance: (options.clockToleranceMs ?? 30_000) / 1000,
      currentDate: new Date(deps.clock.now()),
      requiredClaims: ['exp'],
    };
    try {
      const { payload } = await jwtVerify(token, getKey, checks);
      return principalOf(payload, options);
    } catch (error) {
      return refusalOf(error);
    }
  };
}

function principalOf(claims: Readonly<Record<string, unknown>>, options: OidcOptions): Principal | Refusal {
  const name = textClaim(claims, 'preferred_username', 'email', 'client_id', 'azp', 'sub') ?? 'unnamed';
  const path = options.roleClaim ?? 'roles';
  const role = roleFrom(claimAt(claims, path), options.roles ?? DEFAULT_ROLES) ?? options.defaultRole;
  if (role === undefined) {
    const detail = `No role follows from the claim ${path} of ${name}'s token; the provider must put one there.`;
    return { refused: 'no-role', detail, claimed: name, via: 'jwt' };
  }
  return { name, role, via: 'jwt', verified: true };
}

function refusalOf(error: unknown): Refusal {
  const base = { claimed: null, via: 'jwt' as const };
  if (error instanceof KeysUnavailable) {
    return { ...base, refused: 'unavailable', detail: "The provider's keys cannot be read at the moment; try again." };
  }
  return { ...base, refused: 'bad-credentials', detail: `The token does not hold: ${faultOf(error)}.` };
}

/** Says nothing that the token's owner could not read in it. */
export function faultOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'it is not valid yet';
    return error.reason === 'missing' ? `its claim ${error.claim} is missing` : `its claim ${error.claim} is another`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed';
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed by an unknown key';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key it is signed by (kid)';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is malformed';
}

/** OpenID Connect Discovery 1.0. Rejects when the document is of another issuer. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const document = ((await readJson(url)) ?? {}) as Readonly<Record<string, unknown>>;
  if (document['issuer'] !== issuer) throw new Error(`${url} is of the issuer ${String(document['issuer'])}`);
  const { jwks_uri: keys } = document;
  if (typeof keys !== 'string' || !/^https?:\/\//.test(keys)) throw new Error(`${url} names no jwks_uri`);
  return keys;
}
