import { beforeEach, describe, expect, it } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import { parseRoles, parseTokens, parseUsers } from '../core/identity/credentials.ts';
import { isRefusal } from '../core/identity/identify.ts';
import { withMaxRole } from '../core/identity/max-role.ts';
import type { Principal } from '../core/identity/principal.ts';
import { clientKey, RateWindow } from '../lib/rate-window.ts';
import { hashPassword } from './hash-password.ts';
import { openIdentity } from './open.ts';
import type { IdentityOptions } from './options.ts';
import { standstill } from './testing/clock.testkit.ts';

let time: ReturnType<typeof standstill>;
beforeEach(() => void (time = standstill()));

/** Cheap: the tests look at what is let in, not at how hard it is to guess. */
const CHEAP = { logN: 10, r: 8, p: 1 };

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function asker(options: IdentityOptions) {
  const identity = openIdentity(options, time);
  return async (headers: Record<string, string>, address = '10.0.0.1'): Promise<string> => {
    const who = await identity.identify({ headers, address });
    return isRefusal(who) ? who.refused : `${who.name} ${who.role} ${who.via}`;
  };
}

describe('basic authentication', () => {
  it.each([
    ['plain', () => 'correct: horse'],
    ['bcrypt', () => hashSync('correct: horse', 4)],
    ['bcrypt of Apache', () => hashSync('correct: horse', 4).replace('$2b$', '$2y$')],
    ['scrypt', () => hashPassword('correct: horse', CHEAP)],
  ])('knows a password kept %s', async (_name, secret) => {
    const users = parseUsers([`bob:x-other-pass,ada:${await secret()}`]);
    const ask = asker({ users, userRoles: parseRoles(['ada=editor']) });
    expect(await ask(basic('ada:correct: horse'))).toBe('ada editor basic');
    expect(await ask(basic('bob:x-other-pass'))).toBe('bob admin basic');
    for (const pair of [
      'ada:correct: hors',
      'ada:x-other-pass',
      'bob:correct: horse',
      'eve:correct: horse',
      'ada',
      'ada:',
      ':',
    ]) {
      expect([pair, await ask(basic(pair), pair)]).toEqual([pair, 'bad-credentials']);
    }
    expect(await ask(basic(`ada:${await secret()}`))).toBe(_name === 'plain' ? 'ada editor basic' : 'bad-credentials');
    expect(await ask({})).toBe('no-credentials');
    expect(await ask({ authorization: 'Negotiate x' })).toBe('bad-credentials');
  });

  it('takes no password of which bcrypt sees the beginning alone, and says so', async () => {
    const long = 'é'.repeat(36) + 'x'; // 73 bytes
    const scrypt = await hashPassword(long, CHEAP);
    const identity = openIdentity({ users: parseUsers([`ada:${hashSync(long, 4)},bob:${scrypt}`]) }, time);
    const ask = (pair: string) => identity.identify({ headers: basic(pair), address: pair });
    for (const pair of [`ada:${long}`, `ada:${long}y`, `eve:${long}`]) {
      expect(await ask(pair)).toMatchObject({ refused: 'bad-credentials', detail: expect.stringMatching(/72 bytes/) });
    }
    expect(await ask(`bob:${long}`)).toMatchObject({ name: 'bob' });
    expect(await ask('ada:short')).toMatchObject({ detail: expect.not.stringMatching(/72 bytes/) });
    const exact = openIdentity({ users: parseUsers([`ada:${hashSync('é'.repeat(36), 4)}`]) }, time);
    expect(await exact.identify({ headers: basic(`ada:${'é'.repeat(36)}`), address: '' })).toMatchObject({
      name: 'ada',
    });
  });

  it('has a hash to offer that is hard to guess from', async () => {
    expect(await hashPassword('correct: horse')).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
  });

  it('takes the same work for an unknown name as for a known one', async () => {
    const users = parseUsers([`ada:${await hashPassword('a-good-password', { logN: 14, r: 8, p: 1 })}`]);
    const ask = asker({ users });
    await ask(basic('warm:up'), '1');
    const timed = async (pair: string): Promise<number> => {
      const from = process.hrtime.bigint();
      await ask(basic(pair), pair);
      return Number(process.hrtime.bigint() - from) / 1e6;
    };
    const known = Math.min(await timed('ada:one'), await timed('ada:two'));
    const unknown = Math.min(await timed('eve:one'), await timed('eve:two'));
    expect(unknown).toBeGreaterThan(known / 3);
  });
});

describe('failed logins', () => {
  const users = parseUsers(['ada:a-good-password']);

  it('are held off by address, while a password that was right a moment ago still is', async () => {
    const ask = asker({ users });
    expect(await ask(basic('ada:a-good-password'))).toBe('ada admin basic');
    for (let n = 0; n < 10; n += 1) expect(await ask(basic(`ada:guess-${n}`))).toBe('bad-credentials');
    expect(await ask(basic('ada:guess-10'))).toBe('too-many-attempts');
    expect(await ask(basic('ada:a-good-password'))).toBe('ada admin basic');
    expect(await ask(basic('ada:guess-0'), '10.0.0.2')).toBe('bad-credentials');
    time.pass(60_001);
    expect(await ask(basic('ada:guess-11'))).toBe('bad-credentials');
  });

  it('at once count before the first has failed; equal ones at once are one', async () => {
    const ask = asker({ users });
    const all = await Promise.all(Array.from({ length: 30 }, (_, n) => ask(basic(`ada:guess-${n}`))));
    expect(all.filter((one) => one === 'bad-credentials')).toHaveLength(10);
    const other = asker({ users: parseUsers([`ada:${await hashPassword('a-good-password', CHEAP)}`]) });
    const same = await Promise.all(Array.from({ length: 30 }, () => other(basic('ada:a-good-password'))));
    expect(new Set(same)).toEqual(new Set(['ada admin basic']));
  });

  it('of all addresses together are bounded, right ones are not counted', async () => {
    const ask = asker({ users });
    for (let n = 0; n < 200; n += 1) expect(await ask(basic('ada:a-good-password'), `10.1.0.${n}`)).toMatch(/^ada/);
    const all: string[] = [];
    for (let n = 0; n < 100; n += 1) all.push(await ask(basic('ada:guess'), `10.0.0.${n}`));
    expect(all.filter((one) => one === 'bad-credentials')).toHaveLength(60);
  });

  it('say when to come again', async () => {
    const identity = openIdentity({ tokens: parseTokens(['a:viewer:x']) }, time);
    let last: unknown;
    for (let n = 0; n < 21; n += 1) last = await identity.identify({ headers: bearer(`guess-${n}`), address: '::1' });
    expect(last).toMatchObject({ refused: 'too-many-attempts', retryAfterSeconds: 60 });
    expect(await identity.identify({ headers: bearer('x'), address: '::1' })).toMatchObject({ name: 'a' });
  });

  it('take bounded memory, and an IPv6 address counts by its network', () => {
    const window = new RateWindow({ perKey: 1, overall: 1e9, windowMs: 1000, maxKeys: 100 });
    for (let n = 0; n < 1000; n += 1) window.take(String(n), 0);
    expect(window.keys).toBeLessThanOrEqual(100);
    expect(clientKey('2001:db8::1')).toBe(clientKey('2001:db8:0:0:9::2'));
    expect(clientKey('2001:db8:0:1::1')).not.toBe(clientKey('2001:db8::1'));
    expect([clientKey('::ffff:10.0.0.1'), clientKey('10.0.0.1')]).toEqual(['10.0.0.1', '10.0.0.1']);
  });
});

describe('tokens', () => {
  it('have a name and a role each, several at once, in lines or JSON, hashed or not', async () => {
    const json = JSON.stringify([{ name: 'new', role: 'admin', token: 't:o:k' }]);
    // printf %s secret | sha256sum
    const hashed = 'ci:viewer:sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';
    const ask = asker({ tokens: parseTokens([json, `old:editor:abc:def\n${hashed}`]) });
    expect(await ask(bearer('t:o:k'))).toBe('new admin token');
    expect(await ask(bearer('abc:def'))).toBe('old editor token');
    expect(await ask(bearer('secret'))).toBe('ci viewer token');
    expect(await ask({ authorization: 'bearer   secret' })).toBe('ci viewer token');
    for (const token of ['abc', hashed.slice(10), 'SECRET']) expect(await ask(bearer(token))).toBe('bad-credentials');
    expect(await ask(basic('old:abc:def'))).toBe('bad-credentials');
  });

  it.each([
    ['parseTokens', () => parseTokens(['a:boss:x']), /viewer, editor, admin/],
    ['parseTokens', () => parseTokens(['s3cret']), /name:role:token/],
    ['parseTokens', () => parseTokens(['[{"name":"a", s3cret']), /no JSON/],
    ['parseTokens', () => parseTokens(['[{"name":"a","role":"viewer"}]']), /the token a must/],
    ['parseTokens', () => parseTokens(['a:viewer:s3cret-1,a:viewer:s3cret-2']), /twice/],
    ['parseTokens', () => parseTokens(['a:viewer:sha256:s3cret']), /64 hex/],
    ['parseUsers', () => parseUsers(['s3cret']), /user:password/],
    ['parseUsers', () => parseUsers(['ada:']), /no password/],
    ['parseUsers', () => parseUsers(['ada:s3cret,ada:s3cret']), /twice/],
    ['parseUsers', () => parseUsers(['ada:$2b$10$s3cret']), /not whole/],
    [
      'parseUsers',
      () => parseUsers(['ada:$scrypt$ln=99,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2g']),
      /ln from 10/,
    ],
    ['parseRoles', () => parseRoles(['alice']), /name=role/],
  ])('and users that %s cannot read are refused with the fix and without the secret', (_name, parse, reason) => {
    expect(parse).toThrow(reason);
    expect(parse).toThrow(/^(?!.*s3cret)/);
  });
});

describe('nobody', () => {
  it('is a viewer where nothing is set up, whatever he sends; an admin where Flower’s variable says so', async () => {
    expect(await asker({})(bearer('x'))).toBe('anonymous viewer anonymous');
    expect(await asker({ unauthenticatedApi: true })({})).toBe('anonymous admin anonymous');
    const users = parseUsers(['ada:a-good-password']);
    expect(await asker({ users, unauthenticatedApi: true })({})).toBe('no-credentials');
    expect(await asker({ anonymous: 'none' })({})).toBe('no-credentials');
    const reads = asker({ users, anonymous: 'viewer', unauthenticatedApi: true });
    expect(await reads({})).toBe('anonymous viewer anonymous');
    expect(await reads(basic('ada:wrong'))).toBe('bad-credentials');
  });
});

describe('the header of the highest role', () => {
  const admin: Principal = { name: 'a', role: 'admin', via: 'token', verified: true };
  it.each([
    [undefined, 'admin'],
    ['admin', 'admin'],
    [' Editor ', 'editor'],
    ['viewer', 'viewer'],
    ['', 'viewer'],
    ['root', 'viewer'],
    ['admin, admin', 'viewer'],
    [['admin', 'admin'], 'viewer'],
  ])('%j makes an admin %s', (header, role) => {
    expect(withMaxRole(admin, header).role).toBe(role);
  });

  it('never raises', () => {
    expect(withMaxRole({ ...admin, role: 'viewer' }, 'admin').role).toBe('viewer');
  });
});
