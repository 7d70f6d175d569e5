import { describe, expect, it } from '@jest/globals';
import { RedisReplyError, RespReader } from './resp-reader.ts';

interface Read {
  readonly log: unknown[];
  readonly reader: RespReader;
}

function reading(): Read {
  const log: unknown[] = [];
  const reader = new RespReader({
    onRun: (bytes, spans) => log.push(...payloadsOf(bytes, spans).map((payload) => payload.toString('latin1'))),
    onReply: (reply) => log.push(reply),
  });
  return { log, reader };
}

function payloadsOf(bytes: Buffer, spans: Uint32Array = Uint32Array.of(0, bytes.length)): Buffer[] {
  return Array.from({ length: spans.length / 2 }, (_, n) => bytes.subarray(spans[2 * n], spans[2 * n + 1]));
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function pmessage(pattern: string, channel: string, payload: string): string {
  return `*4\r\n$8\r\npmessage\r\n${bulk(pattern)}${bulk(channel)}$${payload.length}\r\n${payload}\r\n`;
}

const STREAM = [
  '+OK\r\n',
  '-NOAUTH Authentication required.\r\n',
  ':-42\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '$0\r\n\r\n',
  `*3\r\n${bulk('psubscribe')}${bulk('/0.celeryev/*')}:1\r\n`,
  pmessage('/0.celeryev/*', '/0.celeryev/task.multi', 'a\r\nb\u0000c'),
  `*2\r\n${bulk('pong')}${bulk('')}`,
  pmessage('p', 'c', ''),
  `*4\r\n${bulk('master')}:0\r\n*1\r\n*0\r\n${bulk('x')}`,
  pmessage('/0.celeryev/*', '/0.celeryev/task.sent', 'x'.repeat(300)),
].join('');

const EXPECTED = [
  'OK',
  new RedisReplyError('NOAUTH Authentication required.'),
  -42,
  null,
  null,
  '',
  ['psubscribe', '/0.celeryev/*', 1],
  'a\r\nb\u0000c',
  ['pong', ''],
  '',
  ['master', 0, [[]], 'x'],
  'x'.repeat(300),
];

describe('RespReader', () => {
  it('reads every kind of reply, wherever the reads are cut', () => {
    const bytes = Buffer.from(STREAM, 'latin1');
    for (let size = 1; size <= bytes.length; size += 1) {
      const { log, reader } = reading();
      for (let at = 0; at < bytes.length; at += size) reader.append(bytes.subarray(at, at + size));
      expect(log).toEqual(EXPECTED);
    }
    expect((EXPECTED[1] as RedisReplyError).code).toBe('NOAUTH');
  });

  it('takes messages larger than its slab, and comes back to a small one', () => {
    const payloads: Buffer[] = [];
    const reader = new RespReader({
      onRun: (bytes, spans) => payloads.push(...payloadsOf(bytes, spans).map((payload) => Buffer.from(payload))),
      onReply: () => undefined,
    });
    const lengths = [20, 3_000_000, 15_000, 900_000, 1, 700, 1_048_576, 64];
    const stream = Buffer.from(
      lengths.map((length, n) => pmessage('p', 'c', String(n).repeat(length))).join(''),
      'latin1',
    );
    for (let at = 0; at < stream.length;) {
      const space = reader.reserve();
      const read = stream.copy(space, 0, at, at + 65_536);
      at += read;
      reader.commit(read);
    }
    expect(payloads.map((payload) => payload.length)).toEqual(lengths);
    expect(payloads.map((payload, n) => payload.equals(Buffer.alloc(payload.length, String(n))))).not.toContain(false);
  });

  it('hands on together what came together, in runs of 64 KiB, and before the answer that stands behind it', () => {
    const log: string[] = [];
    const reader = new RespReader({
      onRun: (bytes, spans) => log.push(`${payloadsOf(bytes, spans).length} in ${bytes.length}`),
      onReply: (reply) => log.push(String(reply)),
    });
    const small = pmessage('p', 'c', 'x'.repeat(100));
    const between = small.length - 100;
    reader.append(Buffer.from(`${small.repeat(3)}+OK\r\n${small}${pmessage('p', 'c', 'y'.repeat(70_000))}${small}`));
    expect(log).toEqual([`3 in ${300 + 2 * between}`, 'OK', '1 in 100', '1 in 70000', '1 in 100']);
    log.splice(0);
    reader.append(Buffer.from(small.repeat(1000)));
    const lengths = log.map((run) => Number(run.split(' ')[2]));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(64 << 10);
    expect(log.reduce((sum, run) => sum + Number.parseInt(run), 0)).toBe(1000);
    expect(log.length).toBe(Math.ceil((1000 * small.length) / (64 << 10)));
  });

  it('hands on what it read before it met what is not Redis', () => {
    const { log, reader } = reading();
    expect(() => reader.append(Buffer.from(`${pmessage('p', 'c', 'good')}HTTP`))).toThrow('not the Redis protocol');
    expect(log).toEqual(['good']);
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n', '*4\r\n$8\r\npmessage\r\n:1\r\n', '$99999999999\r\n', '*x\r\n'])(
    'says that %j is not Redis',
    (text) => {
      const { reader } = reading();
      expect(() => reader.append(Buffer.from(text))).toThrow('not the Redis protocol');
    },
  );
});
