import { describe, expect, it } from '@jest/globals';
import { ControlRefused } from './command.ts';
import { checkArguments, COMMANDS, commandOf, NEVER_SENT } from './commands.ts';

function refusal(method: string, given: Record<string, unknown>): string {
  try {
    checkArguments(commandOf(method), given);
  } catch (error) {
    if (error instanceof ControlRefused) return `${error.code} ${error.field}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('the table of commands', () => {
  it('lets viewers read, editors act on tasks and admins act on workers', () => {
    const needed = { inspect: 'viewer', task: 'editor', worker: 'admin' };
    expect(COMMANDS.filter(({ kind, role }) => role !== needed[kind])).toEqual([]);
    expect(COMMANDS.filter(({ kind, destructive }) => kind === 'inspect' && destructive)).toEqual([]);
  });

  it('has each command once, and none that is never sent', () => {
    const methods = COMMANDS.map(({ method }) => method);
    expect(new Set(methods).size).toBe(methods.length);
    expect(methods.filter((method) => NEVER_SENT.has(method))).toEqual([]);
  });

  it('says whether a name is unknown or not offered, and why', () => {
    expect(() => commandOf('reboot')).toThrow(/no command "reboot"; use one of ping, /);
    expect(() => commandOf('election')).toThrow(/not offered, because it crashes/);
  });

  it.each(COMMANDS.map((command) => [command.method, command] as const))('%s: says what will happen', (_, command) => {
    const said = command.says('w1@host', {
      task_id: ['a'],
      task_name: 't',
      signal: 'SIGTERM',
      headers: {},
      queue: 'q',
    });
    expect(said).toMatch(/^[A-Zw].*w1@host.*\.$|^w1@host .*\.$/);
  });
});

describe('the check of arguments', () => {
  it.each([
    ['revoke', { task_id: 'a' }, { task_id: ['a'], terminate: false, signal: 'SIGTERM' }],
    [
      'revoke',
      { task_id: ['a', 'a', 'b'], terminate: true, signal: 'sigkill' },
      { task_id: ['a', 'b'], terminate: true, signal: 'SIGKILL' },
    ],
    ['rate_limit', { task_name: 't', rate_limit: '10/m' }, { task_name: 't', rate_limit: '10/m' }],
    ['rate_limit', { task_name: 't', rate_limit: '0/s' }, { task_name: 't', rate_limit: 0 }],
    ['time_limit', { task_name: 't', hard: 3 }, { task_name: 't', hard: 3 }],
    ['time_limit', { task_name: 't', soft: null, hard: 3.5 }, { task_name: 't', soft: null, hard: 3.5 }],
    ['terminate', { task_id: 'a' }, { task_id: ['a'], signal: 'SIGTERM' }],
    // Characters, not halves of them.
    ['cancel_consumer', { queue: '😀'.repeat(255) }, { queue: '😀'.repeat(255) }],
    ['pool_grow', {}, { n: 1 }],
    ['ping', {}, {}],
    ['add_consumer', { queue: 'q', exchange_type: 'Topic' }, { queue: 'q', exchange_type: 'topic' }],
    [
      'revoke_by_stamped_headers',
      { headers: { k: 'v' } },
      { headers: { k: ['v'] }, terminate: false, signal: 'SIGTERM' },
    ],
  ])('%s takes %j as %j', (method, given, taken) => {
    expect(checkArguments(commandOf(method), given)).toEqual(taken);
  });

  it.each([
    ['revoke', {}, 'task_id: is missing'],
    ['revoke', { task_id: [] }, 'task_id: must have at least one entry'],
    ['revoke', { task_id: [''] }, 'task_id: must be a text of at least one character'],
    ['revoke', { task_id: 'a', signal: 'SIGWHAT' }, 'signal: must be one of SIGTERM'],
    ['revoke', { task_id: 'a', terminate: 'yes' }, 'terminate: must be true or false'],
    ['revoke', { task_id: Array.from({ length: 1001 }, (_, i) => String(i)) }, 'task_id: must not have more than 1000'],
    ['pool_grow', { n: 0 }, 'n: must be a whole number from 1 to 1000'],
    ['pool_grow', { n: 1.5 }, 'n: must be a whole number from 1 to 1000'],
    ['pool_grow', { n: '2' }, 'n: must be a whole number from 1 to 1000'],
    ['autoscale', { min: 3, max: 2 }, 'min: must not be above max'],
    ['time_limit', { task_name: 't', soft: 5, hard: 4 }, 'soft: must not be above hard'],
    ['time_limit', { task_name: 't', soft: -1 }, 'soft: must be a number of seconds from 0'],
    ['rate_limit', { task_name: 't', rate_limit: '10/d' }, 'rate_limit: must be like 10/s, 10/m or 10/h'],
    ['ping', { timeout: 3 }, 'timeout: is no argument; ping takes no arguments'],
    ['revoke_by_stamped_headers', { headers: {} }, 'headers: must have at least one stamp'],
    ['revoke_by_stamped_headers', { headers: ['a=b'] }, 'headers: must be an object'],
    ['revoke_by_stamped_headers', { headers: { '': ['a'] } }, 'headers: must be a text of at least one character'],
    ['cancel_consumer', { queue: '😀'.repeat(256) }, 'queue: must not have more than 255 characters'],
  ])('%s refuses %j', (method, given, message) => {
    expect(refusal(method, given)).toMatch(`bad-argument ${message.split(':')[0]}: ${message}`);
  });
});
