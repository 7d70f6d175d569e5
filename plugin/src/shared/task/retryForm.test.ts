import type { RetryPlan } from '../api';
import { bodyOf, EMPTY_FORM, formOf, problemsOf } from './retryForm';

const plan: RetryPlan = {
  taskId: 't',
  name: 'app.add',
  queue: 'celery',
  argsJson: '[12345678901234567890]',
  kwargsJson: '{"token": "********"}',
  source: 'events',
};

it('sends what was not edited as the agent has it, not as it is shown', () => {
  expect(bodyOf(formOf(plan), plan)).toBe('{}');
});

it('keeps every digit of what was typed', () => {
  const form = { ...formOf(plan), args: '[12345678901234567891, 1.10]' };
  expect(problemsOf(form, plan)).toEqual({});
  expect(bodyOf(form, plan)).toBe('{"args":[12345678901234567891, 1.10]}');
});

it('sends queue and countdown where they were given', () => {
  expect(bodyOf({ ...formOf(plan), queue: ' slow ', countdown: '90s' }, plan)).toBe(
    '{"queue":"slow","countdown":"90s"}',
  );
});

it.each([
  [{ args: '{}' }, { args: 'Must be an array, like [1, "a"].' }],
  [{ kwargs: '[]' }, { kwargs: 'Must be an object, like {"user": 1}.' }],
  [{ args: '[1,' }, { args: expect.stringMatching(/^Must be JSON: an array, like/) }],
  [{ countdown: 'soon' }, { countdown: 'Must be a length of time, like 90s, 5m or 1h.' }],
])('names the field of %j', (edit, problems) => {
  expect(problemsOf({ ...formOf(plan), ...edit }, plan)).toEqual(problems);
});

it('wants arguments that are not known typed, and a queue that no event told', () => {
  expect(Object.keys(problemsOf(EMPTY_FORM, undefined))).toEqual(['args', 'kwargs']);
  const typed = { ...EMPTY_FORM, args: '[]', kwargs: '{}' };
  expect(problemsOf(typed, undefined)).toEqual({});
  expect(bodyOf(typed, undefined)).toBe('{"args":[],"kwargs":{}}');
  expect(problemsOf({ ...formOf(plan), queue: '' }, { ...plan, queue: null })).toEqual({
    queue: 'No event told the queue: give one.',
  });
});
