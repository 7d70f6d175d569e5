import type { Asking, Identity, Refusal } from '../core/identity/identify.ts';
import { isRefusal } from '../core/identity/identify.ts';
import type { Principal, Role } from '../core/identity/principal.ts';
import { claimedName } from './claimed-name.ts';
import { type GrafanaCheck, grafanaCheck } from './grafana.ts';
import type { KeyDeps } from './keys.ts';
import { Logins } from './logins.ts';
import { type JwtCheck, oidcCheck } from './oidc.ts';
import type { IdentityOptions } from './options.ts';
import { Passwords } from './passwords.ts';
import { type TokenCheck, tokenCheck } from './tokens.ts';

/** Told to whoever sends such a password, whether there is such a user or not. */
const TOO_LONG = 'one of more than 72 bytes needs a hash by --hash-password in the place of bcrypt';

const GRAFANA_ID = 'x-grafana-id';

/**
 * Tells who asks: by basic authentication, bearer token, JWT of an OpenID provider, and behind a shared one of these by
 * the user that Grafana names. Needs no connection: keys are read when the first token is to be checked.
 *
 * @throws CredentialsError for a password hash that is not whole
 */
export function openIdentity(options: IdentityOptions, deps: KeyDeps): Identity {
  return new ConfiguredIdentity(options, deps);
}

class ConfiguredIdentity implements Identity {
  readonly signIn: boolean;
  readonly hasPasswords: boolean;
  readonly #userRoles: ReadonlyMap<string, Role>;
  readonly #passwords: Passwords;
  readonly #logins: Logins;
  readonly #tokens: TokenCheck;
  readonly #jwt: JwtCheck | undefined;
  readonly #grafana: GrafanaCheck;
  readonly #anonymous: Principal | undefined;
  readonly #deps: KeyDeps;

  constructor(options: IdentityOptions, deps: KeyDeps) {
    const { users = [], tokens = [], oidc } = options;
    this.signIn = users.length + tokens.length > 0 || oidc !== undefined;
    this.hasPasswords = users.length > 0;
    this.#userRoles = options.userRoles ?? new Map();
    this.#passwords = new Passwords(users);
    this.#logins = new Logins(this.#passwords, deps.clock);
    this.#tokens = tokenCheck(tokens);
    this.#jwt = oidc === undefined ? undefined : oidcCheck(oidc, deps);
    this.#grafana = grafanaCheck(options.grafana, deps);
    this.#anonymous = anonymous(options, this.signIn);
    this.#deps = deps;
  }

  async identify({ headers, address }: Asking): Promise<Principal | Refusal> {
    const { authorization } = headers;
    if (!this.signIn || authorization === undefined || authorization.length === 0) {
      return this.#anonymous ?? refusal('no-credentials', 'Send a token or log in.', { via: 'anonymous' });
    }
    try {
      const who = await this.#byAuthorization(authorization, address);
      const idToken = headers[GRAFANA_ID];
      if (isRefusal(who) || typeof idToken !== 'string') return who;
      return await this.#grafana(who, idToken);
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'a sign-in could not be checked');
      return refusal('unavailable', "The sign-in could not be checked; the agent's log says why.", {});
    }
  }

  #byAuthorization(header: string | readonly string[], address: string): Promise<Principal | Refusal> {
    const [, scheme = '', credentials = ''] =
      /^(\S+) +(\S+) *$/.exec(typeof header === 'string' ? header : (header[0] ?? '')) ?? [];
    if (scheme.toLowerCase() === 'basic') return this.#byPassword(credentials, address);
    if (scheme.toLowerCase() === 'bearer') return this.#byBearer(credentials, address);
    return Promise.resolve(refusal('bad-credentials', 'Authorization must be Basic or Bearer.', {}));
  }

  async #byPassword(credentials: string, address: string): Promise<Principal | Refusal> {
    const text = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const name = colon < 0 ? text : text.slice(0, colon);
    const password = colon < 0 ? '' : text.slice(colon + 1);
    const result = await this.#logins.check(name, password, address);
    if (result === 'good') return { name, role: this.#userRoles.get(name) ?? 'admin', via: 'basic', verified: true };
    const isUser = this.#passwords.has(name);
    const claimed = isUser ? name : claimedName(name, () => this.#passwords.fingerprint(name, ''));
    const about = { claimed, via: 'basic' as const };
    if (result !== 'bad') return tooMany(result.retryAfterMs, about);
    const detail = this.#passwords.isTooLong(password)
      ? `The name or the password is wrong; ${TOO_LONG}.`
      : 'The name or the password is wrong.';
    return refusal('bad-credentials', detail, about);
  }

  async #byBearer(token: string, address: string): Promise<Principal | Refusal> {
    const owner = this.#tokens(token);
    if (owner !== undefined) return owner;
    const who =
      this.#jwt !== undefined && token.split('.').length === 3
        ? await this.#jwt(token)
        : refusal('bad-credentials', 'The token is unknown.', { via: 'token' });
    if (!isRefusal(who) || who.refused !== 'bad-credentials') return who;
    const retryAfterMs = this.#logins.tokenFailed(address);
    return retryAfterMs > 0 ? tooMany(retryAfterMs, who) : who;
  }
}

/** FLOWER_UNAUTHENTICATED_API counts only where nothing else is set up, as in Flower (flower/api/__init__.py). */
function anonymous(options: IdentityOptions, signIn: boolean): Principal | undefined {
  const isAdmin = options.unauthenticatedApi === true && !signIn;
  const { anonymous: wanted = 'auto' } = options;
  if (!isAdmin && (wanted === 'none' || (wanted === 'auto' && signIn))) return undefined;
  return { name: 'anonymous', role: isAdmin ? 'admin' : 'viewer', via: 'anonymous', verified: false };
}

function refusal(refused: Refusal['refused'], detail: string, about: Partial<Refusal>): Refusal {
  return { refused, detail, claimed: about.claimed ?? null, via: about.via ?? 'anonymous' };
}

function tooMany(retryAfterMs: number, about: Pick<Refusal, 'claimed' | 'via'>): Refusal {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const detail = `Too many failed logins; try again in ${seconds} s.`;
  return { ...refusal('too-many-attempts', detail, about), retryAfterSeconds: seconds };
}
