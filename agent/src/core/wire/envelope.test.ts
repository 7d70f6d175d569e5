import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { decompress } from './compression.ts';
import { MAX_BODY_BYTES, openMessage } from './envelope.ts';
import type { MessageProperties } from './message.ts';
import { TOO_DEEP } from './survey.ts';
import { WideInteger } from './wide-integer.ts';

const BODY = { type: 'worker-online', name: 'ünï' };
const JSON_BODY = Buffer.from(JSON.stringify(BODY));
/** `{"type":"worker-online","name":"x"}`, compressed by Python's bz2 and by the zstd tool. */
const BZ2 = 'QlpoOTFBWSZTWfJa4fkAABCZgBAGABAiL9TqIAAxTCaaA0xCE0ZAYmQYlJhBvQFB2VkNbs7xMWQZ8XxdyRThQkPJa4fk';
const ZSTD = 'KLUv/QRoGQEAeyJ0eXBlIjoid29ya2VyLW9ubGluZSIsIm5hbWUiOiJ4In1Xru9W';
/** The same with `xyz ` 5000 times for a name. */
const ZSTD_LONG = 'KLUv/QRobQEAJAJ7InR5cGUiOiJ3b3JrZXItb25saW5lIiwibmFteHl6ICJ9AgAZzrsEZacTK+11Gg==';
/** 64 MiB of zeros and one more. */
const BZ2_BOMB =
  'QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZPXCVUQCic8AA4AAACCAAMMwFKaaoqITYEqITxdyRThQkCFjUO8A=';

function envelope(body: Buffer, contentType = 'application/json', more: object = {}): Buffer {
  return raw({
    body: body.toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': contentType,
    headers: {},
    properties: { body_encoding: 'base64', delivery_tag: 'x' },
    ...more,
  });
}

const raw = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const redis = (payload: Buffer) => openMessage({ receivedMs: 1, routingKey: 'task.multi', payload });
const amqp = (payload: Buffer, properties: MessageProperties) =>
  openMessage({ receivedMs: 1, routingKey: 'task.multi', payload, properties });
const compressed = (body: Buffer, compression: unknown) =>
  redis(envelope(body, undefined, { headers: { compression } }));
const reasonOf = (opened: ReturnType<typeof openMessage>) => ('reject' in opened ? opened.reject.reason : 'none');
const bodyOf = (opened: ReturnType<typeof openMessage>) => ('reject' in opened ? opened.reject : opened.body);

describe('envelope', () => {
  it('reads kombu base64 bodies, plain ones, and tagged binary ones', () => {
    expect(redis(envelope(JSON_BODY))).toEqual({ body: BODY, found: 0 });
    for (const body_encoding of [null, undefined, 'utf-8', 'UTF-8', '']) {
      const plain = { body: JSON_BODY.toString(), properties: { body_encoding } };
      expect(bodyOf(redis(envelope(JSON_BODY, undefined, plain)))).toEqual(BODY);
    }
    const tagged = { body: { __type__: 'base64', __value__: JSON_BODY.toString('base64') }, properties: {} };
    expect(bodyOf(redis(envelope(JSON_BODY, undefined, tagged)))).toEqual(BODY);
  });

  it('reads AMQP bodies by their properties', () => {
    expect(bodyOf(amqp(JSON_BODY, { contentType: 'application/json' }))).toEqual(BODY);
    const headers = { compression: 'zlib' };
    expect(bodyOf(amqp(deflateSync(JSON_BODY), { contentType: 'application/json', headers }))).toEqual(BODY);
    expect(bodyOf(amqp(Buffer.from(encode(BODY)), { contentType: 'application/x-msgpack' }))).toEqual(BODY);
  });

  it('takes base64 with line breaks, as Python does', () => {
    const body = JSON_BODY.toString('base64').replace(/(.{10})/g, '$1\n');
    expect(bodyOf(redis(envelope(JSON_BODY, undefined, { body })))).toEqual(BODY);
  });

  it('takes a header that only Python can write', () => {
    const text = envelope(JSON_BODY).toString().replace('"headers":{}', '"headers":{"x":NaN}');
    expect(bodyOf(redis(Buffer.from(text)))).toEqual(BODY);
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['a cut one', envelope(JSON_BODY).subarray(0, 80)],
    ['a list', raw([])],
    ['null', raw(null)],
    ['no body', envelope(JSON_BODY, undefined, { body: undefined })],
    ['a body of another type', envelope(JSON_BODY, undefined, { body: 5 })],
    ['an unknown body_encoding', envelope(JSON_BODY, undefined, { properties: { body_encoding: 'rot13' } })],
    ['a body_encoding of another type', envelope(JSON_BODY, undefined, { properties: { body_encoding: {} } })],
    ['a body that is not base64', envelope(JSON_BODY, undefined, { body: '{"type": "worker-online", "x": [1, 2]}' })],
  ])('rejects %s as envelope', (_what, payload) => expect(reasonOf(redis(payload))).toBe('envelope'));

  it('takes strange headers and properties for none', () => {
    expect(bodyOf(redis(envelope(JSON_BODY, undefined, { headers: [], properties: 'x', body: '{}' })))).toEqual({});
  });
});

describe('content types', () => {
  it('reads JSON as Python writes it', () => {
    const text = '{"a": NaN, "b": 9007199254740993, "c": [1e400], "d": 1.0}';
    expect(bodyOf(redis(envelope(Buffer.from(text))))).toEqual({
      a: NaN,
      b: new WideInteger('9007199254740993'),
      c: [Infinity],
      d: 1,
    });
    expect(bodyOf(redis(envelope(Buffer.from('[{"id": 123456789012345678901}]'))))).toEqual([
      { id: new WideInteger('123456789012345678901') },
    ]);
  });

  it('replaces invalid UTF-8 and keeps NUL and lone surrogates', () => {
    const body = Buffer.concat([Buffer.from('{"a": "'), Buffer.from([0xff]), Buffer.from('\\u0000\\ud800"}')]);
    expect(bodyOf(redis(envelope(body)))).toEqual({ a: '\ufffd\u0000\ud800' });
  });

  it('reads msgpack', () => {
    const value = { type: 'x', n: 2 ** 40, big: 2n ** 63n, list: [1.5, null, true], bin: new Uint8Array([255, 0]) };
    const body = Buffer.from(encode(value, { useBigInt64: true }));
    expect(bodyOf(redis(envelope(body, 'application/x-msgpack')))).toEqual({
      ...value,
      big: new WideInteger('9223372036854775808'),
      bin: { __type__: 'base64', __value__: '/wA=' },
    });
  });

  it('reads YAML as PyYAML writes it', () => {
    const text =
      "args: '(1, 2)'\nclock: 12\nn: 123456789012345678901\nloadavg: [0.5, 1.0]\nnothing: null\nok: true\n" +
      'timestamp: 1795407640.9132133\ntype: task-received\nwhen: 2024-02-29 00:00:00\nx: .nan\n';
    expect(bodyOf(redis(envelope(Buffer.from(text), 'application/x-yaml')))).toEqual({
      args: '(1, 2)',
      clock: 12,
      n: new WideInteger('123456789012345678901'),
      loadavg: [0.5, 1],
      nothing: null,
      ok: true,
      timestamp: 1795407640.9132133,
      type: 'task-received',
      when: '2024-02-29 00:00:00',
      x: NaN,
    });
  });

  it('takes the last of equal keys of YAML, as Python does, and an empty text for null', () => {
    expect(bodyOf(redis(envelope(Buffer.from('a: 1\nb: 2\na: 3\n'), 'application/x-yaml')))).toEqual({ a: 3, b: 2 });
    expect(bodyOf(redis(envelope(Buffer.from('# nothing\n'), 'application/x-yaml')))).toBeNull();
  });

  it('does not mind parameters and capitals', () => {
    expect(bodyOf(redis(envelope(JSON_BODY, 'Application/JSON; charset=utf-8')))).toEqual(BODY);
  });

  it('refuses pickle, and names what it does not know', () => {
    expect(reasonOf(redis(envelope(JSON_BODY, 'application/x-python-serialize')))).toBe('pickle');
    for (const type of ['text/plain', 'application/data', '', null, 7]) {
      expect(reasonOf(redis(envelope(JSON_BODY, type as string)))).toBe('content-type');
    }
    expect(bodyOf(amqp(JSON_BODY, {}))).toEqual({ reason: 'content-type', detail: 'undefined is not read' });
  });

  it.each<[string, string, Buffer]>([
    ['JSON', 'application/json', Buffer.from('{"a": }')],
    ['empty JSON', 'application/json', Buffer.alloc(0)],
    ['msgpack', 'application/x-msgpack', Buffer.from([0x82, 0xa1])],
    ['empty msgpack', 'application/x-msgpack', Buffer.alloc(0)],
    ['msgpack that announces 4 billion values', 'application/x-msgpack', Buffer.from([0xdd, 255, 255, 255, 255])],
    ['msgpack with __proto__', 'application/x-msgpack', Buffer.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x80])],
    ['YAML', 'application/x-yaml', Buffer.from('{a: [')],
    ['YAML with a tag for Python', 'application/x-yaml', Buffer.from('a: *nowhere')],
    ['YAML of a billion laughs', 'application/x-yaml', Buffer.from(laughs())],
    ['YAML of 5 MB', 'application/x-yaml', Buffer.alloc(5 << 20, 'a')],
    ['YAML of nothing but brackets', 'application/x-yaml', Buffer.alloc(4 << 20, '[')],
    // On a full stack V8 ended the process while it compiled an expression of the library.
    ['YAML of 10,000 lists', 'application/x-yaml', Buffer.from('- '.repeat(10_000))],
    ['YAML of 1000 brackets', 'application/x-yaml', Buffer.from('['.repeat(1000) + ']'.repeat(1000))],
    ['YAML of two documents', 'application/x-yaml', Buffer.from('a: 1\n---\nb: 2\n')],
  ])('rejects broken %s as body', (_what, type, body) => expect(reasonOf(redis(envelope(body, type)))).toBe('body'));
});

describe('compression', () => {
  it('reads what kombu writes: gzip is a zlib stream', () => {
    for (const name of ['application/x-gzip', 'gzip', 'zlib']) {
      expect(bodyOf(compressed(deflateSync(JSON_BODY), name))).toEqual(BODY);
    }
    expect(bodyOf(compressed(brotliCompressSync(JSON_BODY), 'application/x-brotli'))).toEqual(BODY);
    const small = { type: 'worker-online', name: 'x' };
    expect(bodyOf(compressed(Buffer.from(BZ2, 'base64'), 'application/x-bz2'))).toEqual(small);
    expect(bodyOf(compressed(Buffer.from(ZSTD, 'base64'), 'application/zstd'))).toEqual(small);
    const long = { type: 'worker-online', name: 'xyz '.repeat(5000) };
    expect(bodyOf(compressed(Buffer.from(ZSTD_LONG, 'base64'), 'zstd'))).toEqual(long);
  });

  it.each<[string, Buffer, unknown]>([
    ['an unknown name', JSON_BODY, 'snappy'],
    ['lzma', JSON_BODY, 'application/x-lzma'],
    ['a name of Object.prototype', JSON_BODY, 'constructor'],
    ['no name', JSON_BODY, 7],
    ['a real gzip file', gzipSync(JSON_BODY), 'gzip'],
    ['cut zlib data', deflateSync(JSON_BODY).subarray(0, 12), 'zlib'],
    ['broken brotli data', JSON_BODY, 'brotli'],
    ['broken bzip2 data', JSON_BODY, 'bzip2'],
    ['cut bzip2 data', Buffer.from(BZ2, 'base64').subarray(0, 40), 'bzip2'],
    ['empty bzip2 data', Buffer.alloc(0), 'bzip2'],
    ['broken zstd data', JSON_BODY, 'zstd'],
    ['cut zstd data', Buffer.from(ZSTD, 'base64').subarray(0, 20), 'zstd'],
    ['a zstd window of 2 GB', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0, 0, 0, 0, 0]), 'zstd'],
    ['a zstd bomb', zstdBomb(), 'zstd'],
    ['a zlib bomb', deflateSync(Buffer.alloc(MAX_BODY_BYTES + 1)), 'zlib'],
  ])('rejects %s as compression', (_what, body, name) => expect(reasonOf(compressed(body, name))).toBe('compression'));
});

describe('bombs', () => {
  it('stops decompressing at the limit', () => {
    expect(() => decompress(Buffer.from(BZ2_BOMB, 'base64'), 'bzip2', 1 << 20)).toThrow(/larger than 1048576 bytes/);
    expect(decompress(Buffer.from(BZ2, 'base64'), 'bzip2', 35)).toHaveLength(35);
    expect(() => decompress(Buffer.from(BZ2, 'base64'), 'bzip2', 34)).toThrow(/larger than 34 bytes/);
    expect(() => decompress(Buffer.from(BZ2_BOMB, 'base64'), 'bzip2', 1 << 30)).toThrow(/larger than 4194304 bytes/);
  });

  it('opens deep nesting but says so', () => {
    const deep = Buffer.from('['.repeat(100_000) + ']'.repeat(100_000));
    expect(redis(envelope(deep))).toMatchObject({ found: TOO_DEEP });
    const packed = Buffer.concat([Buffer.alloc(100_000, 0x91), Buffer.from([0xc0])]);
    expect(redis(envelope(packed, 'application/x-msgpack'))).toMatchObject({ found: TOO_DEEP });
    expect(reasonOf(redis(envelope(Buffer.from('['.repeat(20_000)), 'application/x-yaml')))).toBe('body');
    expect(reasonOf(redis(envelope(Buffer.from(`${'['.repeat(100_000)}NaN`))))).toBe('body');
  });

  it('refuses millions of values in a small text', () => {
    expect(reasonOf(redis(envelope(Buffer.from(`[${'{},'.repeat(2_100_000)}{}]`))))).toBe('body');
    expect(reasonOf(redis(Buffer.from('['.repeat(3_000_000))))).toBe('envelope');
    const nils = Buffer.concat([Buffer.from([0xdd, 0x00, 0x30, 0x00, 0x00]), Buffer.alloc(0x300000, 0xc0)]);
    expect(reasonOf(redis(envelope(nils, 'application/x-msgpack')))).toBe('body');
  });

  it('reads arguments of 20 MB', () => {
    const args = `(${"'x', ".repeat(4 << 20)})`;
    const opened = redis(envelope(raw({ args })));
    expect((bodyOf(opened) as { args: string }).args.length).toBe(args.length);
  });
});

describe('chance', () => {
  const contentType = fc.constantFrom(
    'application/json',
    'application/x-msgpack',
    'application/x-yaml',
    'application/x-python-serialize',
    'x',
  );
  const compression = fc.constantFrom(undefined, 'gzip', 'brotli', 'bzip2', 'zstd', 'lzma', '');
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

  it('never makes it throw: bytes in an envelope', () => {
    fc.assert(
      fc.property(bytes, contentType, compression, (body, type, name) => {
        const opened = redis(envelope(body, type, { headers: { compression: name } }));
        if ('reject' in opened) expect(opened.reject.detail.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 500 },
    );
  });

  it('never makes it throw: bytes instead of an envelope, cut and altered ones', () => {
    const good = envelope(JSON_BODY);
    fc.assert(
      fc.property(bytes, fc.nat(good.length), fc.nat(255), (random, at, byte) => {
        redis(random);
        redis(good.subarray(0, at));
        const altered = Buffer.from(good);
        altered[at] = byte;
        redis(altered);
      }),
      { numRuns: 500 },
    );
  });

  it('reads the same, whatever tail it has met before: the way for kombu’s own envelopes and the one for all others', () => {
    const name = fc.constantFrom('w1@h', 'w2@a-longer-host', 'ünï', '');
    const key = fc.constantFrom('task.multi', 'worker.heartbeat', 'quo"te');
    const type = fc.constantFrom('application/json', 'application/x-msgpack', 'text/plain');
    const sent = fc.record({ name, key, type, more: fc.option(name), body: fc.jsonValue({ maxDepth: 1 }) });
    const bent = fc.option(fc.record({ at: fc.nat(150), byte: fc.constantFrom(...Buffer.from('"\\,:} aA=\u0001')) }));
    const outcome = (opened: ReturnType<typeof openMessage>) =>
      'reject' in opened ? opened.reject.reason : opened.body;
    fc.assert(
      fc.property(fc.array(fc.tuple(sent, bent), { minLength: 2, maxLength: 8 }), (messages) => {
        for (const [{ name: hostname, key: routing_key, type: contentType, more, body }, bend] of messages) {
          const text = JSON.stringify({
            body: Buffer.from(JSON.stringify(body)).toString('base64'),
            'content-encoding': 'utf-8',
            'content-type': contentType,
            headers: { hostname, ...(more !== null && { compression: more === '' ? '' : 'zlib' }) },
            properties: { delivery_info: { routing_key }, body_encoding: 'base64', delivery_tag: hostname },
          });
          const payload = Buffer.from(text.replaceAll('":', '": ').replaceAll(',"', ', "'));
          // Behind the body: a broken one is read with more patience in the first way than in the second.
          if (bend !== null) payload[payload.length - 1 - bend.at] = bend.byte;
          const opened = outcome(redis(payload));
          expect(outcome(redis(Buffer.concat([Buffer.from(' '), payload])))).toEqual(opened);
          // Once more, when its tail is known.
          expect(outcome(redis(payload))).toEqual(opened);
        }
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('never makes it throw: any JSON under the envelope’s names', () => {
    const any = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(any, any, any, any, (body, headers, properties, type) => {
        redis(raw({ body, headers, properties, 'content-type': type }));
        redis(
          raw({
            body: '{}',
            headers: { compression: headers },
            properties: { body_encoding: type },
            'content-type': body,
          }),
        );
      }),
    );
  });
});

function laughs(): string {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
  for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]\n`;
  return text;
}

/** Blocks of 128 KiB that repeat one byte (RFC 8878, 3.1.1.2), together just above the limit. */
function zstdBomb(): Buffer {
  const block = Buffer.from([0x02, 0x00, 0x10, 0x78]);
  const blocks = Array.from({ length: MAX_BODY_BYTES / (128 << 10) + 1 }, () => block);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), ...blocks]);
}
