import type { BasicUser, NamedToken } from '../core/identity/credentials.ts';
import type { Role } from '../core/identity/principal.ts';

/** What the agent knows people and programs by. Everything may be left out: then everybody is an anonymous viewer. */
export interface IdentityOptions {
  readonly users?: readonly BasicUser[];
  /** Role of a user; default admin, since Flower's users may do everything. */
  readonly userRoles?: ReadonlyMap<string, Role>;
  readonly tokens?: readonly NamedToken[];
  readonly oidc?: OidcOptions;
  readonly grafana?: GrafanaOptions;
  /** What those without credentials are; default `auto`: viewers as long as there is no sign-in, else refused. */
  readonly anonymous?: 'auto' | 'none' | 'viewer';
  /** Without any sign-in everybody is an admin; default false. Flower's FLOWER_UNAUTHENTICATED_API. */
  readonly unauthenticatedApi?: boolean;
}

/** Access tokens of an OpenID provider. */
export interface OidcOptions {
  /** `iss` of the tokens, exactly. */
  readonly issuer: string;
  /** `aud` of the tokens must hold one of these. */
  readonly audience: readonly string[];
  /** Default: what `<issuer>/.well-known/openid-configuration` says. */
  readonly jwksUri?: string;
  /** Default: every signature by a key pair; a shared secret (HS…) and `none` are never taken. */
  readonly algorithms?: readonly string[];
  /** Default 30,000 ms. */
  readonly clockToleranceMs?: number;
  /** Name or path of the claim with the roles, e.g. `realm_access.roles`; default `roles`. */
  readonly roleClaim?: string;
  /** Value of the claim → role, the highest counts; default `umbel-viewer`, `umbel-editor`, `umbel-admin`. */
  readonly roles?: ReadonlyMap<string, Role>;
  /** Role where none follows from the claim; default: such a token is refused. */
  readonly defaultRole?: Role;
}

/** Grafana, whose proxy tells the user by a signed `X-Grafana-Id`. */
export interface GrafanaOptions {
  /** Where its keys are read: `<url>/api/signing-keys/keys`. */
  readonly url: string;
  /** `iss` of its tokens, Grafana's `root_url`; default: not compared, since the keys are those of one Grafana. */
  readonly issuer?: string;
  /** Ids of the organisations whose users count; default: all. */
  readonly organisations?: readonly string[];
}

/** Signatures by a key pair: whoever can check one of these cannot make one. */
export const ASYMMETRIC_ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'],
] as const;
