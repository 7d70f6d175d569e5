import type { AdHocVariableFilter } from '@grafana/data';
import type { TaskFilter } from '../../shared/api';
import type { ChoiceKind } from '../choices';
import { AgentError } from '../client';
import { NothingMatches } from './kind';

/** Keys of ad-hoc filters, and the parameter of the agent that each becomes. */
export const AD_HOC_KEYS = {
  name: 'names',
  state: 'states',
  worker: 'workers',
  queue: 'queues',
  exceptionType: 'exceptionTypes',
  taskId: 'ids',
} as const;

/** Lists to choose their values from. */
export const AD_HOC_CHOICES: Readonly<Record<string, ChoiceKind | undefined>> = {
  ...{ name: 'names', state: 'states', worker: 'workers', queue: 'queues', exceptionType: 'exceptionTypes' },
};

type Key = keyof typeof AD_HOC_KEYS;

/**
 * Adds the dashboard's ad-hoc filters to a filter; all of them narrow.
 *
 * @throws NothingMatches where they exclude each other
 * @throws AgentError for what the agent cannot do
 */
export function withAdHocFilters(filter: TaskFilter, adHoc: readonly AdHocVariableFilter[]): TaskFilter {
  return adHoc.filter(isFilledIn).reduce<TaskFilter>((narrowed, one) => {
    const parameter = AD_HOC_KEYS[keyOf(one)];
    return { ...narrowed, [parameter]: both(narrowed[parameter], valuesOf(one)) };
  }, filter);
}

function isFilledIn({ key, value, values }: AdHocVariableFilter): boolean {
  return key !== '' && (value !== '' || (values ?? []).length > 0);
}

function keyOf({ key }: AdHocVariableFilter): Key {
  if (key in AD_HOC_KEYS) {
    return key as Key;
  }
  throw cannot(`The filter “${key}” is unknown here. Use one of ${Object.keys(AD_HOC_KEYS).join(', ')}.`);
}

function valuesOf(filter: AdHocVariableFilter): string[] {
  const { key, operator, value, values } = filter;
  switch (operator) {
    case '=':
      return [value];
    case '=|':
      return values ?? [value];
    case '=~':
      return patternsOf(value, key === 'name');
    default:
      throw cannot(
        `The filter “${key} ${operator} ${value}” cannot be applied: the agent only looks for what matches. ` +
          'Use =, =~ or “one of”.',
      );
  }
}

/** `a|b` of a regular expression becomes a list; `.*` at an end of a task name the agent's `*`. */
function patternsOf(expression: string, mayUsePatterns: boolean): string[] {
  const inner = expression.replace(/^\^/, '').replace(/\$$/, '');
  const parts = inner.replace(/^\((?:\?:)?([^()]*)\)$/, '$1').split('|');
  return parts.map((part) => {
    const text = part.replace(/\\([^\w\s])/g, '$1');
    const wild = mayUsePatterns ? part.replace(/^\.\*/, '').replace(/\.\*$/, '') : part;
    if (/(^|[^\\])[[\](){}*+?^$]/.test(wild)) {
      const allowed = mayUsePatterns ? 'names joined by |, with .* at an end' : 'values joined by |';
      throw cannot(`The expression “${expression}” cannot be applied: use ${allowed}.`);
    }
    return mayUsePatterns ? text.replace(/^\.\*/, '*').replace(/\.\*$/, '*') : text;
  });
}

/** What passes both lists. */
export function both(given: readonly string[] | undefined, more: readonly string[]): string[] {
  if (given === undefined) {
    return [...new Set(more)];
  }
  const kept = [
    ...given.filter((one) => more.some((pattern) => covers(pattern, one))),
    ...more.filter((one) => given.some((pattern) => covers(pattern, one))),
  ];
  if (kept.length === 0) {
    throw new NothingMatches();
  }
  return [...new Set(kept)];
}

/** Whether everything that `one` stands for passes `pattern`, which may have a `*` at an end. */
export function covers(pattern: string, one: string): boolean {
  const start = pattern.startsWith('*');
  const end = pattern.endsWith('*');
  const text = pattern.replace(/^\*/, '').replace(/\*$/, '');
  if (start && end) {
    return one.includes(text);
  }
  if (start) {
    return one.endsWith(text);
  }
  return end ? one.startsWith(text) : one === pattern;
}

function cannot(message: string): AgentError {
  return new AgentError(message, 400, 'ad-hoc-filter');
}
