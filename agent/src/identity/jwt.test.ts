import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { isRefusal } from '../core/identity/identify.ts';
import { openIdentity } from './open.ts';
import type { OidcOptions } from './options.ts';
import { standstill } from './testing/clock.testkit.ts';
import { type Provider, signedByPublicKey, startProvider, unsigned } from './testing/provider.testkit.ts';

let provider: Provider;
let time: ReturnType<typeof standstill>;
beforeEach(async () => {
  provider = await startProvider();
  time = standstill();
});
afterEach(() => provider.close());

const identity = (options: Partial<OidcOptions> = {}) =>
  openIdentity({ oidc: { issuer: provider.url, audience: ['umbel'], ...options } }, time);

const ask = (one: ReturnType<typeof identity>, token: string) =>
  one.identify({ headers: { authorization: `Bearer ${token}` }, address: '10.0.0.1' });

function claims(members: JWTPayload = {}): JWTPayload {
  const now = time.nowMs() / 1000;
  const times = { iat: now, nbf: now, exp: now + 300 };
  return {
    iss: provider.url,
    aud: 'umbel',
    sub: 'u1',
    preferred_username: 'ada',
    roles: ['umbel-editor'],
    ...times,
    ...members,
  };
}

/** The refusal's kind, or the role. */
async function outcome(token: string, options: Partial<OidcOptions> = {}): Promise<string> {
  const who = await ask(identity(options), token);
  return isRefusal(who) ? `${who.refused}: ${who.detail}` : who.role;
}

describe('a JWT of the provider', () => {
  it('says who asks, and with which role', async () => {
    const who = await ask(identity(), await provider.sign(claims()));
    expect(who).toEqual({ name: 'ada', role: 'editor', via: 'jwt', verified: true });
  });

  it.each<[string, () => Promise<string> | string, RegExp]>([
    ['expired', () => provider.sign(claims({ exp: time.nowMs() / 1000 - 31 })), /it has expired/],
    ['not valid yet', () => provider.sign(claims({ nbf: time.nowMs() / 1000 + 31 })), /not valid yet/],
    ['for another audience', () => provider.sign(claims({ aud: 'other' })), /its claim aud is another/],
    ['of another issuer', () => provider.sign(claims({ iss: 'https://evil.example' })), /its claim iss is another/],
    [
      'without an end',
      () => provider.sign(JSON.parse(JSON.stringify({ ...claims(), exp: undefined })) as JWTPayload),
      /claim exp is missing/,
    ],
    ['unsigned (alg none)', () => unsigned(claims()), /algorithm is not allowed/],
    ['signed HS256 with the public key', () => signedByPublicKey(provider, claims()), /algorithm is not allowed/],
    ['of an unknown key', () => provider.sign(claims(), { kid: 'nobody' }), /unknown key/],
    [
      'with changed claims',
      async () =>
        (await provider.sign(claims())).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify(claims({ roles: ['umbel-admin'] }))).toString('base64url')}.`,
        ),
      /signature is wrong/,
    ],
    ['malformed', () => 'a.b.c', /malformed/],
  ])('that is %s is refused', async (_name, token, reason) => {
    expect(await outcome(await provider.sign(claims()))).toBe('editor');
    const got = await outcome(await token());
    expect(got).toMatch(/^bad-credentials: /);
    expect(got).toMatch(reason);
  });

  it('may be a little late or early', async () => {
    const now = time.nowMs() / 1000;
    expect(await outcome(await provider.sign(claims({ exp: now - 29, nbf: now - 400 })))).toBe('editor');
    expect(await outcome(await provider.sign(claims({ nbf: now + 29 })))).toBe('editor');
    expect(await outcome(await provider.sign(claims({ exp: now - 29 })), { clockToleranceMs: 0 })).toMatch(/expired/);
  });

  it('is taken by the algorithms that are allowed, and by no shared secret even so', async () => {
    expect(await outcome(await provider.sign(claims()), { algorithms: ['RS256'] })).toMatch(/not allowed/);
    expect(await outcome(await provider.sign(claims()), { algorithms: ['ES256'] })).toBe('editor');
    const hs = await signedByPublicKey(provider, claims());
    expect(await outcome(hs, { algorithms: ['HS256', 'ES256'] })).toMatch(/not allowed/);
  });

  it('has its role from any claim, the highest one', async () => {
    const roles = new Map([
      ['ops', 'admin'],
      ['dev', 'viewer'],
    ] as const);
    const nested = await provider.sign(claims({ realm_access: { roles: ['dev', 'ops', 'x'] }, roles: [] }));
    expect(await outcome(nested, { roleClaim: 'realm_access.roles', roles })).toBe('admin');
    const dotted = await provider.sign(claims({ 'https://a.example/roles': 'dev other' }));
    expect(await outcome(dotted, { roleClaim: 'https://a.example/roles', roles })).toBe('viewer');
    const none = await provider.sign(claims({ roles: ['admin', '__proto__'] }));
    expect(await outcome(none)).toMatch(/^no-role: .*claim roles of ada/);
    expect(await outcome(none, { defaultRole: 'viewer' })).toBe('viewer');
    expect(await outcome(none, { roleClaim: 'constructor.name' })).toMatch(/^no-role/);
  });
});

describe('the keys of the provider', () => {
  it('are read once for many tokens, and again when a token has a new one', async () => {
    const one = identity({ jwksUri: `${provider.url}/keys` });
    const old = await provider.sign(claims());
    await Promise.all([ask(one, old), ask(one, old), ask(one, old)]);
    expect(provider.reads()).toBe(1);
    await provider.rotate();
    const fresh = await provider.sign(claims());
    expect(await ask(one, fresh)).toMatchObject({ refused: 'bad-credentials' }); // read a moment ago
    time.pass(31_000);
    expect(await ask(one, fresh)).toMatchObject({ role: 'editor' });
    expect(await ask(one, old)).toMatchObject({ refused: 'bad-credentials' });
    expect(provider.reads()).toBe(2);
  });

  it('that cannot be read make a token neither good nor bad; those known last for an hour', async () => {
    provider.setDown(true);
    const one = identity();
    const token = await provider.sign(claims({ exp: time.nowMs() / 1000 + 100_000 }));
    expect(await ask(one, token)).toMatchObject({ refused: 'unavailable', detail: expect.stringMatching(/try again/) });
    expect(time.warnings.length).toBe(1);
    expect(await ask(one, token)).toMatchObject({ refused: 'unavailable' });
    expect(time.warnings.length).toBe(1); // not tried again at once
    provider.setDown(false);
    time.pass(5000);
    expect(await ask(one, token)).toMatchObject({ role: 'editor' });
    provider.setDown(true);
    time.pass(59 * 60_000);
    expect(await ask(one, token)).toMatchObject({ role: 'editor' });
    time.pass(2 * 60_000);
    expect(await ask(one, token)).toMatchObject({ refused: 'unavailable' });
  });

  it('are not taken from a provider that says to be another', async () => {
    const one = openIdentity({ oidc: { issuer: `${provider.url}/`, audience: ['umbel'] } }, time);
    expect(await ask(one, await provider.sign(claims({ iss: `${provider.url}/` })))).toMatchObject({
      refused: 'unavailable',
    });
  });
});

describe('the Grafana user behind a shared token', () => {
  const TOKEN = 'a-token-that-the-plugin-holds';
  const tokens = [{ name: 'grafana', role: 'admin', token: TOKEN }] as const;
  const grafanaClaims = (members: JWTPayload = {}): JWTPayload => ({
    ...{ iss: `${provider.url}/`, aud: 'org:1', sub: 'user:1', type: 'user', username: 'ada', role: 'Editor' },
    ...{ exp: time.nowMs() / 1000 + 600, ...members },
  });
  const asUser = (one: ReturnType<typeof openIdentity>, idToken: string) =>
    one.identify({ headers: { authorization: `Bearer ${TOKEN}`, 'x-grafana-id': idToken }, address: '10.0.0.1' });

  it('is verified by the keys of Grafana, and lowers the role to the one in the organisation', async () => {
    const one = openIdentity({ tokens, grafana: { url: provider.url } }, time);
    expect(await asUser(one, await provider.sign(grafanaClaims()))).toEqual({
      ...{ name: 'grafana', role: 'editor', via: 'grafana', verified: true },
      grafanaUser: { login: 'ada', verified: true },
    });
    for (const role of ['None', 'constructor', undefined, 7]) {
      expect(await asUser(one, await provider.sign(grafanaClaims({ role })))).toMatchObject({ role: 'viewer' });
    }
  });

  it('never raises the role of the token', async () => {
    const viewer = [{ name: 'grafana', role: 'viewer', token: TOKEN }] as const;
    const one = openIdentity({ tokens: viewer, grafana: { url: provider.url } }, time);
    expect(await asUser(one, await provider.sign(grafanaClaims({ role: 'Admin' })))).toMatchObject({ role: 'viewer' });
  });

  it('has the lowest role when the token about him does not hold, or cannot be checked', async () => {
    const grafana = { url: provider.url, issuer: provider.url, organisations: ['1'] };
    const one = openIdentity({ tokens, grafana }, time);
    expect(await asUser(one, await provider.sign(grafanaClaims()))).toMatchObject({ role: 'editor' });
    for (const token of [
      unsigned(grafanaClaims()),
      await signedByPublicKey(provider, grafanaClaims()),
      await provider.sign(grafanaClaims({ exp: time.nowMs() / 1000 - 31 })),
      await provider.sign(grafanaClaims({ aud: 'org:2' })),
      await provider.sign(grafanaClaims({ iss: 'https://other.example' })),
    ]) {
      expect(await asUser(one, token)).toMatchObject({
        role: 'viewer',
        grafanaUser: { login: 'ada', verified: false },
      });
    }
    expect(await asUser(one, 'nonsense')).toMatchObject({ role: 'viewer', grafanaUser: { verified: false } });
    const anyOrganisation = openIdentity({ tokens, grafana: { url: provider.url } }, time);
    expect(await asUser(anyOrganisation, await provider.sign(grafanaClaims({ aud: 'umbel' })))).toMatchObject({
      role: 'viewer',
    });
    provider.setDown(true);
    const unreachable = openIdentity({ tokens, grafana }, time);
    expect(await asUser(unreachable, await provider.sign(grafanaClaims()))).toMatchObject({ role: 'viewer' });
  });

  it('is merely named where no Grafana is known, and proves nothing without a token', async () => {
    const one = openIdentity({ tokens }, time);
    const named = await provider.sign(grafanaClaims());
    expect(await asUser(one, named)).toMatchObject({
      role: 'admin',
      via: 'token',
      grafanaUser: { login: 'ada', verified: false },
    });
    expect(await one.identify({ headers: { 'x-grafana-id': named }, address: '::1' })).toMatchObject({
      refused: 'no-credentials',
    });
  });
});

describe('the Grafana user behind a JWT', () => {
  const idToken = (members: JWTPayload = {}): Promise<string> =>
    provider.sign({
      ...{ iss: `${provider.url}/`, aud: 'org:1', sub: 'user:1', type: 'user', username: 'bob', role: 'Viewer' },
      ...{ authenticatedBy: 'oauth_generic_oauth', exp: time.nowMs() / 1000 + 600, ...members },
    });
  /** The JWT is ada's, an editor. */
  const through = async (id: string, options: object = { grafana: { url: provider.url } }) => {
    const one = openIdentity({ oidc: { issuer: provider.url, audience: ['umbel'] }, ...options }, time);
    const authorization = `Bearer ${await provider.sign(claims())}`;
    return one.identify({ headers: { authorization, 'x-grafana-id': id }, address: '10.0.0.1' });
  };

  it('lowers the role as behind a token, where he is another', async () => {
    expect(await through(await idToken())).toEqual({
      ...{ name: 'ada', role: 'viewer', via: 'grafana', verified: true },
      grafanaUser: { login: 'bob', verified: true },
    });
    expect(await through(await idToken({ role: 'Admin' }))).toMatchObject({ role: 'editor' });
    expect(await through('nonsense')).toMatchObject({ role: 'viewer' });
    expect(await through(await idToken({ exp: time.nowMs() / 1000 - 60 }))).toMatchObject({ role: 'viewer' });
    expect(await through(await idToken(), {})).toMatchObject({
      role: 'editor',
      grafanaUser: { login: 'bob', verified: false },
    });
  });

  it('counts for nothing where the JWT is his own', async () => {
    const ada = { name: 'ada', role: 'editor', via: 'jwt', verified: true };
    expect(await through(await idToken({ username: 'Ada' }))).toEqual(ada);
    expect(await through(await idToken({ email: 'ada' }))).toEqual(ada);
  });

  it('cannot keep the role by taking the name of the JWT', async () => {
    for (const authenticatedBy of ['password', 'render', undefined]) {
      expect(await through(await idToken({ username: 'ada', authenticatedBy }))).toMatchObject({ role: 'viewer' });
    }
    expect(await through(await idToken({ displayName: 'ada', name: 'ada' }))).toMatchObject({ role: 'viewer' });
    expect(await through(await idToken({ username: 'ada', aud: 'umbel' }))).toMatchObject({ role: 'viewer' });
  });
});
