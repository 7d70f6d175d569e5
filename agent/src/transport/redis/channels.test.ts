import { describe, expect, it } from '@jest/globals';
import { eventPatterns } from './channels.ts';
import { explainChannel } from './probe.ts';

describe('eventPatterns', () => {
  it('listens to the database, with and without routing keys', () => {
    expect(eventPatterns(3, {}, false)).toEqual([
      { pattern: '/3.celeryev/*', required: true },
      { pattern: '/3.celeryev', required: false },
    ]);
  });

  it('follows the transport options', () => {
    const patterns = eventPatterns(0, { keyPrefix: 'ü*:', fanoutPrefix: false, fanoutPatterns: false }, false);
    expect(patterns).toEqual([
      { pattern: 'ü\\*:celeryev/*', required: false },
      { pattern: 'ü\\*:celeryev', required: true },
    ]);
    expect(eventPatterns(5, { fanoutPrefix: '/my{db}.', eventExchange: 'ev' }, false)[0]?.pattern).toBe('/my5.ev/*');
  });

  it('adds the literal {db} of kombu < 5.4 with sentinels', () => {
    const names = eventPatterns(0, {}, true).map(({ pattern, required }) => [pattern, required]);
    expect(names).toEqual([
      ['/0.celeryev/*', true],
      ['/0.celeryev', false],
      ['/{db}.celeryev/*', false],
      ['/{db}.celeryev', false],
    ]);
  });
});

describe('explainChannel', () => {
  it.each([
    ['/2.celeryev/worker.heartbeat', {}, 'use database 2 in the broker URL instead of 0'],
    ['px:/0.celeryev/task.multi', {}, 'set the key prefix to "px:"'],
    ['/0.celeryev/task.multi', { keyPrefix: 'px:' }, 'set the key prefix to ""'],
    ['celeryev/task.multi', {}, 'fanout_prefix=False'],
    ['px:celeryev', { keyPrefix: 'px:' }, 'set the fanout prefix to ""'],
  ])('%s', (channel, options, words) => {
    expect(explainChannel(channel, 0, options)).toContain(words);
  });
});
