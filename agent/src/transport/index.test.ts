import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../lib/clock.ts';
import { recordingLogger } from './conformance.testkit.ts';
import { openTransport } from './index.ts';
import { parseBrokerUrls } from './url.ts';

describe('openTransport', () => {
  const open = (text: string, redis = {}): string => {
    const transport = openTransport(parseBrokerUrls(text), { clock: systemClock, logger: recordingLogger(), redis });
    return `${transport.scheme} ${transport.displayUrl}`;
  };

  it('chooses by scheme', () => {
    expect(open('redis://:s@h1/2;rediss://h2')).toBe('redis redis://:**@h1:6379/2;rediss://h2:6379/0');
    expect(open('sentinel://h', { masterName: 'm' })).toBe('redis sentinel://h:26379/0');
    expect(open('amqp://u:s@h1/v;amqps://h2//')).toBe('amqp amqp://u:**@h1:5672/v;amqps://h2:5671/%2F');
    expect(open('demo://')).toBe('demo demo://');
  });

  it('says what is missing', () => {
    expect(() => open('sentinel://h')).toThrow(/master_name/);
  });
});
