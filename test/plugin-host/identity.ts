import { generateKeyPairSync, sign } from 'node:crypto';

/** A user of the organisation, as the stand-in for Grafana knows him. */
export interface GrafanaUser {
  readonly login: string;
  readonly role: 'Viewer' | 'Editor' | 'Admin';
}

const KEY_ID = 'test';
const LIFETIME_SECONDS = 600;

/** Signs `X-Grafana-Id` as Grafana does (pkg/services/auth/idimpl): ES256, ten minutes, the role in the organisation. */
export class IdentitySigner {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  /** Answer of `/api/signing-keys/keys`. */
  jwks(): object {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, kid: KEY_ID, alg: 'ES256', use: 'sig' }] };
  }

  token({ login, role }: GrafanaUser, issuer: string, nowMs: number): string {
    const iat = Math.floor(nowMs / 1000);
    const header = { alg: 'ES256', kid: KEY_ID, typ: 'jwt' };
    const claims = {
      ...{ iss: issuer, sub: `user:${login}`, aud: 'org:1', iat, exp: iat + LIFETIME_SECONDS },
      ...{ type: 'user', identifier: login, username: login, email: `${login}@example.org`, name: login, role },
    };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(text), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
