import { describe, expect, it } from '@jest/globals';
import { exceptionType, failureKey } from './failure.ts';

const FRAMES = 'Traceback (most recent call last):\n  File "/srv/app.py", line 41, in run\n    raise X(\n';

describe('exceptionType', () => {
  it.each([
    ["ValueError('boom')", null, 'ValueError'],
    ['pkg.mod.CustomError(1, x=2)', null, 'CustomError'],
    ['Outer.<locals>.Inner(1)', null, 'Inner'],
    ['Fehlermeldungß(1)', null, 'Fehlermeldungß'],
    ['<Error object>', null, 'Error'],
    ['<pkg.mod.Error object at 0x7f2b8c>', null, 'Error'],
    ['<Error: it broke>', null, 'Error'],
    ["<class 'pkg.Error'>", null, 'Error'],
    ["<Unrepresentable <class 'pkg.Bad'>0x7f: 'TypeError()' None>", null, 'Bad'],
    [
      'ExceptionWithTraceback()',
      `${FRAMES}billiard.exceptions.WorkerLostError: signal 9 Job: 20.\n`,
      'WorkerLostError',
    ],
    ['ExceptionWithTraceback()', null, 'ExceptionWithTraceback'],
    ['None', `${FRAMES}celery.exceptions.Retry: Retry in 0.3s: RuntimeError('attempt 0')\n`, 'RuntimeError'],
    ['None', `${FRAMES}celery.exceptions.Retry: Retry in 0.3s\n`, 'Retry'],
    ['reject requeue=False: not for me', `${FRAMES}celery.exceptions.Reject: ('not for me', False)\n`, 'Reject'],
    [null, `${FRAMES}RuntimeError\n`, 'RuntimeError'],
    [null, `${FRAMES}ValueError: line1\nKeyError: not this\n`, 'ValueError'],
    [null, `${FRAMES}KeyError: 1\n\nDuring handling:\n\n${FRAMES}app.Last: 2\n`, 'Last'],
    [null, `${FRAMES}app.lower_case: 2\n`, 'lower_case'],
    ['some words', null, 'Unknown'],
    ['OSError: disk full', null, 'OSError'],
    [42, null, 'Unknown'],
    [{ exc: 1 }, 7, 'Unknown'],
    [null, 'cut Traceback (most recent call last)', 'Unknown'],
  ])('%j with traceback %j is %s', (exception, traceback, type) => {
    expect(exceptionType(exception, traceback)).toBe(type);
  });

  it('is null when the event told nothing', () => {
    expect(exceptionType(null, undefined)).toBeNull();
    expect(exceptionType('', '')).toBeNull();
    expect(failureKey(null, null)).toBeNull();
  });
});

describe('failureKey', () => {
  it.each([
    ["ValueError('boom')", 'boom'],
    ["KeyError('it\\'s\\nhere')", "it's here"],
    ["Reject('not for me', False)", '<str>, False'],
    ["E('user 12 of -3.5e7')", 'user <n> of <n>'],
    ["E('order 0b9f1c2e-7d0a-4a43-9a34-5c9a2f0d1e11 missing')", 'order <uuid> missing'],
    ["E('object at 0x7f00ab, digest deadbeef01')", 'object at <hex>, digest <hex>'],
    ["E(\"can't read 'a b' and don't\")", "can't read <str> and don't"],
    ["E('no file /var/lib/x.txt or C:\\\\temp\\\\y')", 'no file <path> or <path>'],
    ["E('connect to 10.0.0.1:6379 via https://a.example/b?c=1')", 'connect to <addr> via <url>'],
    ["E('late since 2024-01-02T03:04:05+00:00')", 'late since <time>'],
    ['TimeLimitExceeded(300)', '<n>'],
    ['SoftTimeLimitExceeded()', ''],
  ])('%s groups by "%s"', (exception, message) => {
    expect(failureKey(exception, null)?.message).toBe(message);
  });

  it('takes the same group from the repr and from the traceback', () => {
    const lost = 'Worker exited prematurely: signal 9 (SIGKILL) Job: ';
    const direct = failureKey(`WorkerLostError('${lost}16.')`, null);
    expect(
      failureKey('ExceptionWithTraceback()', `${FRAMES}billiard.exceptions.WorkerLostError: ${lost}20.\n`),
    ).toEqual(direct);
    const late = failureKey('TimeLimitExceeded(1)', null);
    expect(
      failureKey('ExceptionWithTraceback()', `${FRAMES}billiard.TimeLimitExceeded: TimeLimitExceeded(2,)\n`),
    ).toEqual(late);
  });

  it('keeps its fingerprints over releases, and apart for type and message', () => {
    const key = failureKey("ValueError('boom')", null);
    expect(key?.fingerprint).toBe('1ffb879c16795c');
    expect(failureKey("TypeError('boom')", null)?.fingerprint).not.toBe(key?.fingerprint);
    expect(failureKey("ValueError('bang')", null)?.fingerprint).not.toBe(key?.fingerprint);
  });

  it('bounds message and work for texts of megabytes', () => {
    const huge = 'x '.repeat(5_000_000);
    const key = failureKey(`ValueError('${huge}')`, `${FRAMES}ValueError: ${huge}`);
    expect(key?.type).toBe('ValueError');
    expect(key?.message.length).toBeLessThanOrEqual(300);
    expect(failureKey(null, `${FRAMES}ValueError: ${huge}`)?.message.length).toBeLessThanOrEqual(300);
  });
});
