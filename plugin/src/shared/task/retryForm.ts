import type { RetryPlan } from '../api';

/** What a retry sends, as typed. */
export interface RetryForm {
  readonly args: string;
  readonly kwargs: string;
  readonly queue: string;
  /** `90s`, `5m`; empty: at once */
  readonly countdown: string;
}

export type RetryProblems = Partial<Record<keyof RetryForm, string>>;

export const EMPTY_FORM: RetryForm = { args: '', kwargs: '', queue: '', countdown: '' };

export function formOf({ argsJson, kwargsJson, queue }: RetryPlan): RetryForm {
  return { args: argsJson, kwargs: kwargsJson, queue: queue ?? '', countdown: '' };
}

/**
 * What is wrong with it, by field.
 *
 * @param plan undefined where the arguments are not known, so that both have to be typed
 */
export function problemsOf(form: RetryForm, plan: RetryPlan | undefined): RetryProblems {
  const isEdited = (field: 'args' | 'kwargs', planned: string | undefined) => form[field] !== planned;
  return {
    ...(isEdited('args', plan?.argsJson) &&
      named('args', jsonProblem(form.args, Array.isArray, 'an array, like [1, "a"]'))),
    ...(isEdited('kwargs', plan?.kwargsJson) &&
      named('kwargs', jsonProblem(form.kwargs, isObject, 'an object, like {"user": 1}'))),
    ...named(
      'queue',
      plan !== undefined && plan.queue === null && form.queue.trim() === ''
        ? 'No event told the queue: give one.'
        : undefined,
    ),
    ...named('countdown', countdownProblem(form.countdown.trim())),
  };
}

function named(field: keyof RetryForm, problem: string | undefined): RetryProblems {
  return problem === undefined ? {} : { [field]: problem };
}

function jsonProblem(text: string, fits: (value: unknown) => boolean, wanted: string): string | undefined {
  if (text.trim() === '') {
    return `Must be JSON: ${wanted}.`;
  }
  try {
    return fits(JSON.parse(text)) ? undefined : `Must be ${wanted}.`;
  } catch (error) {
    return `Must be JSON: ${wanted}. ${error instanceof Error ? error.message : ''}`.trim();
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countdownProblem(text: string): string | undefined {
  return text === '' || /^\d+(\.\d+)?(ms|s|m|h|d)?$/.test(text)
    ? undefined
    : 'Must be a length of time, like 90s, 5m or 1h.';
}

/**
 * The request's body as JSON text: arguments go as they were typed, so a number of many digits keeps them. What was not
 * edited is left out: the agent then sends the real arguments, not the masked ones that it shows.
 */
export function bodyOf(form: RetryForm, plan: RetryPlan | undefined): string {
  const queue = form.queue.trim();
  const countdown = form.countdown.trim();
  const members = [
    form.args === plan?.argsJson ? undefined : `"args":${form.args.trim()}`,
    form.kwargs === plan?.kwargsJson ? undefined : `"kwargs":${form.kwargs.trim()}`,
    queue === '' || queue === plan?.queue ? undefined : `"queue":${JSON.stringify(queue)}`,
    countdown === '' ? undefined : `"countdown":${JSON.stringify(countdown)}`,
  ];
  return `{${members.filter((member) => member !== undefined).join(',')}}`;
}
