import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** An OpenID provider (or Grafana) on loopback: real keys behind a real server. */
export interface Provider {
  readonly url: string;
  /** How often the keys were read. */
  readonly reads: () => number;
  /** The public key, as PEM. */
  readonly publicPem: () => Promise<string>;
  /** Signs as the provider does; `kid` and `alg` may be changed. */
  sign(claims: JWTPayload, header?: { readonly kid?: string }): Promise<string>;
  /** New keys; the old one is no longer served. */
  rotate(): Promise<void>;
  /** Answers 503 from now on, or no longer. */
  setDown(down: boolean): void;
  close(): Promise<void>;
}

export async function startProvider(algorithm = 'ES256'): Promise<Provider> {
  let number = 0;
  let reads = 0;
  let down = false;
  let pair = await generateKeyPair(algorithm, { extractable: true });
  let served: JWK = await publicJwk();

  async function publicJwk(): Promise<JWK> {
    number += 1;
    return { ...(await exportJWK(pair.publicKey)), kid: `key-${number}`, use: 'sig', alg: algorithm };
  }

  const server = createServer((request, response) => {
    if (down) {
      response.writeHead(503).end();
      return;
    }
    const isDiscovery = request.url?.endsWith('/.well-known/openid-configuration') === true;
    if (!isDiscovery) reads += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: [served] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    reads: () => reads,
    publicPem: () => exportSPKI(pair.publicKey),
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, ...(served.kid === undefined ? {} : { kid: served.kid }), ...header })
        .sign(pair.privateKey),
    async rotate() {
      pair = await generateKeyPair(algorithm, { extractable: true });
      served = await publicJwk();
    },
    setDown: (value) => void (down = value),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A JWT that nobody signed. */
export function unsigned(claims: JWTPayload): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
}

/** A JWT whose signature is made with the public key as a shared secret, for checkers that take either kind. */
export async function signedByPublicKey(provider: Provider, claims: JWTPayload): Promise<string> {
  const secret = new TextEncoder().encode(await provider.publicPem());
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(secret);
}
