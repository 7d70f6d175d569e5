import { describe, expect, it } from '@jest/globals';
import { BrokerUrlError, displayUrls, parseBrokerUrls } from './url.ts';
import type { BrokerUrl } from './url.ts';

function one(text: string): BrokerUrl {
  const [url, ...others] = parseBrokerUrls(text);
  if (url === undefined || others.length > 0) throw new Error(`not one URL: ${text}`);
  return url;
}

function refused(text: string): BrokerUrlError {
  try {
    parseBrokerUrls(text);
  } catch (error) {
    if (error instanceof BrokerUrlError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('Redis URLs', () => {
  it.each([
    ['REDIS://', { scheme: 'redis', host: '127.0.0.1', port: 6379, db: 0 }],
    ['redis://', { scheme: 'redis', host: '127.0.0.1', port: 6379, db: 0 }],
    ['redis://:p%40ss@h:6390/2', { password: 'p@ss', host: 'h', port: 6390, db: 2 }],
    ['redis://user:pw@H/2', { username: 'user', password: 'pw', host: 'h', port: 6379, db: 2 }],
    ['redis://a+b:p+c@h/1', { username: 'a+b', password: 'p+c' }],
    ['redis://u%3Ax:%E2%82%AC%zz@h', { username: 'u:x', password: '€%zz' }],
    ['redis://h//3', { db: 3 }],
    ['redis://h/', { db: 0 }],
    ['redis://h:/4', { port: 6379, db: 4 }],
    ['redis://[::1]:6380/0', { host: '::1', port: 6380 }],
    ['redis://h/0?connect_timeout=5', { host: 'h' }],
    ['sentinel://h1', { scheme: 'sentinel', host: 'h1', port: 26379 }],
    ['redis+socket:///run/r.sock?virtual_host=4', { scheme: 'redis+socket', socketPath: '/run/r.sock', db: 4 }],
    ['redis+socket://:pw@/run/r%20x.sock', { socketPath: '/run/r x.sock', password: 'pw', db: 0 }],
    ['redis+socket://u:pw@/r.sock', { socketPath: '/r.sock', username: 'u', password: 'pw' }],
  ])('%s', (text, expected) => {
    expect(one(text)).toMatchObject({ transport: 'redis', ...expected });
  });

  it('takes rediss:// without ssl options as kombu does: no verification', () => {
    expect(one('rediss://h/1')).toMatchObject({ tls: { verify: false } });
    expect(one('redis://h/1')).not.toHaveProperty('tls');
  });

  it('reads the ssl_ keys', () => {
    const query =
      'ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=%2Fetc%2Fca.pem&ssl_certfile=/c&ssl_keyfile=/k&ssl_password=x';
    expect(one(`rediss://h:6380/1?${query}`)).toMatchObject({
      port: 6380,
      db: 1,
      tls: {
        verify: true,
        checkHostname: true,
        caFile: '/etc/ca.pem',
        certFile: '/c',
        keyFile: '/k',
        keyPassword: 'x',
      },
    });
    expect(one('rediss://h?ssl_cert_reqs=none')).toMatchObject({ tls: { verify: false } });
    expect(one('rediss://h?ssl_check_hostname=False')).toMatchObject({ tls: { verify: true, checkHostname: false } });
  });

  it('reads a list', () => {
    const urls = parseBrokerUrls('sentinel://h1:26379/0; sentinel://:pw@h2/0;');
    expect(urls).toMatchObject([{ host: 'h1' }, { host: 'h2', password: 'pw', port: 26379 }]);
    expect(displayUrls(urls)).toBe('sentinel://h1:26379/0;sentinel://:**@h2:26379/0');
  });
});

describe('other URLs', () => {
  it.each([
    ['amqp://', 'guest', 'guest', '127.0.0.1', 5672, '/'],
    ['amqp://u:p@h/vh', 'u', 'p', 'h', 5672, 'vh'],
    ['pyamqp://h//', 'guest', 'guest', 'h', 5672, '/'],
    ['librabbitmq://h/%2F', 'guest', 'guest', 'h', 5672, '/'],
    ['amqp://h/a/b', 'guest', 'guest', 'h', 5672, 'a/b'],
    ['amqp://h/%2fvh', 'guest', 'guest', 'h', 5672, '/vh'],
    ['amqp://h/my%20vh', 'guest', 'guest', 'h', 5672, 'my vh'],
    ['amqps://h', 'guest', 'guest', 'h', 5671, '/'],
    ['h', 'guest', 'guest', 'h', 5672, '/'],
    ['h:5673', 'guest', 'guest', 'h', 5673, '/'],
  ])('%s', (text, username, password, host, port, virtualHost) => {
    expect(one(text)).toMatchObject({ transport: 'amqp', username, password, host, port, virtualHost });
  });

  it('reads lists without a scheme, and demo', () => {
    expect(parseBrokerUrls('h1;h2')).toMatchObject([{ host: 'h1' }, { host: 'h2' }]);
    expect(one('demo://')).toEqual({ transport: 'demo', scheme: 'demo', displayUrl: 'demo://' });
    expect(one('demo://?seed=7&tasks_per_second=20')).toMatchObject({ seed: 7, tasksPerSecond: 20 });
  });
});

describe('what is refused', () => {
  it.each([
    ['', 'url', 'redis://HOST'],
    ['redis://h/abc', 'path', '"abc" is not a number'],
    ['redis://h/-1', 'path', '"-1" is not a number'],
    ['redis://h:99999/0', 'port', '1 to 65535'],
    ['redis://h/0?db=3', 'query', '"db"'],
    ['redis://h/0?virtual_host=3', 'query', '"virtual_host"'],
    ['redis://::1/0', 'port', 'brackets'],
    ['rediss://h?ssl_cert_reqs=maybe', 'query', 'required, optional or none'],
    ['rediss://h?ssl_cart_reqs=none', 'query', '"ssl_cart_reqs"'],
    ['redis+socket://run/r.sock', 'path', 'three slashes'],
    ['redis+socket:///r.sock?virtual_host=x', 'query', '"x" is not a number'],
    ['valkey://h', 'scheme', 'write redis://'],
    ['sqs://k:s@', 'scheme', 'Celery sends no events over sqs'],
    ['sqla+sqlite:///x.db', 'scheme', 'no events over sqla'],
    ['http://h', 'scheme', 'http:// is not known'],
    ['constructor://h', 'scheme', 'constructor:// is not known'],
    ['localhost:6379', 'scheme', 'redis://localhost:6379/0'],
    ['redis://h1;h2', 'list', 'in full'],
    ['sentinel://h1;redis://h2', 'list', 'in full'],
    ['redis://h1;amqp://h2', 'list', 'does not go together'],
    ['demo://?rate=3', 'query', '"rate"'],
    ['demo://?seed=x', 'query', 'write a number'],
  ])('%s', (text, part, words) => {
    const error = refused(text);
    expect(error.part).toBe(part);
    expect(error.message).toContain(words);
  });

  it('names the place in a list', () => {
    expect(refused('redis://h1;redis://h2/x')).toMatchObject({ position: 2, part: 'path' });
  });

  it.each([
    'redis://u:sx#cret@h/0',
    'redis://u:sx/cret@h/0',
    'redis://u:sx?cret@h/0',
    'redis://u:p@w/cret@h/0',
    'redis://u:p@w?cret@h/0',
    'redis://:secret@h:secret/0',
    'rediss://h:6380/2&ssl_password=secret',
    'rediss://h&ssl_password=secret',
    'amqps://h/v&ssl_password=secret',
    'amqps://h;ssl_password=secret',
    'rediss://h/0?ssl_cert_reqs=none?ssl_password=secret',
    'rediss://h/0?ssl_cert_reqs=none;ssl_password=secret',
    'rediss://h/0?ssl_password%3Dsecret',
    'secret@h:6379',
  ])('never repeats a password: %s', (text) => {
    const { message, problem, fix } = refused(text);
    expect(message + problem + fix).not.toMatch(/sx\b|cret/);
  });

  it('hides passwords where a URL is shown', () => {
    for (const text of [
      'redis://u:secret@h',
      'redis+socket://:secret@/r',
      'amqp://u:secret@h',
      'rediss://:secret@h?ssl_password=secret',
    ]) {
      expect(one(text).displayUrl).not.toContain('secret');
    }
    expect(one('redis://u:secret@[::1]/3').displayUrl).toBe('redis://u:**@[::1]:6379/3');
  });
});
