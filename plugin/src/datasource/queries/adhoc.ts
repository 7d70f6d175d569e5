import type { AdHocVariableFilter } from '@grafana/data';
import type { TaskFilter } from '../../shared/api';
import type { ChoiceKind } from '../choices';
import { AgentError } from '../../shared/client';
import { NothingMatches } from './kind';

interface Key {
  /** Parameters of the agent that it becomes: what must be, and what must not */
  readonly is: 'names' | 'states' | 'workers' | 'queues' | 'exceptionTypes' | 'ids';
  readonly not?: 'notNames' | 'notStates' | 'notWorkers' | 'notQueues' | 'notExceptionTypes';
  /** The agent takes a `*` at an end */
  readonly patterns: boolean;
  /** Where its values are chosen from */
  readonly choices?: ChoiceKind;
}

/** Keys of ad-hoc filters. */
const KEYS: Readonly<Record<string, Key | undefined>> = {
  name: { is: 'names', not: 'notNames', patterns: true, choices: 'names' },
  state: { is: 'states', not: 'notStates', patterns: false, choices: 'states' },
  worker: { is: 'workers', not: 'notWorkers', patterns: true, choices: 'workers' },
  queue: { is: 'queues', not: 'notQueues', patterns: true, choices: 'queues' },
  exceptionType: { is: 'exceptionTypes', not: 'notExceptionTypes', patterns: true, choices: 'exceptionTypes' },
  taskId: { is: 'ids', patterns: false },
};

export const AD_HOC_KEYS: readonly string[] = Object.keys(KEYS);

/** The list to choose the values of a key from, where there is one. */
export function adHocChoices(key: string): ChoiceKind | undefined {
  return KEYS[key]?.choices;
}

/**
 * Adds the dashboard's ad-hoc filters to a filter; all of them narrow.
 *
 * @throws NothingMatches where they exclude each other
 * @throws AgentError for what the agent cannot do
 */
export function withAdHocFilters(filter: TaskFilter, adHoc: readonly AdHocVariableFilter[]): TaskFilter {
  return adHoc.filter(isFilledIn).reduce<TaskFilter>((narrowed, one) => {
    const key = keyOf(one.key);
    const values = valuesOf(one, key);
    if (!one.operator.startsWith('!')) {
      return { ...narrowed, [key.is]: both(narrowed[key.is], values) };
    }
    if (key.not === undefined) {
      throw cannot(`The filter “${one.key} ${one.operator}” cannot be applied: use =, =~ or “one of”.`);
    }
    return { ...narrowed, [key.not]: [...new Set([...(narrowed[key.not] ?? []), ...values])] };
  }, filter);
}

function isFilledIn({ key, value, values }: AdHocVariableFilter): boolean {
  return key !== '' && (value !== '' || (values ?? []).length > 0);
}

function keyOf(key: string): Key {
  const known = KEYS[key];
  if (known === undefined) {
    throw cannot(`The filter “${key}” is unknown here. Use one of ${AD_HOC_KEYS.join(', ')}.`);
  }
  return known;
}

function valuesOf({ key, operator, value, values }: AdHocVariableFilter, { patterns }: Key): string[] {
  switch (operator) {
    case '=':
    case '!=':
      return [value];
    case '=|':
    case '!=|':
      return values ?? [value];
    case '=~':
    case '!~':
      return patternsOf(value, patterns);
    default:
      throw cannot(`The filter “${key} ${operator} ${value}” cannot be applied: use =, !=, =~, !~ or “one of”.`);
  }
}

/** `a|b` of a regular expression becomes a list; `.*` at an end the agent's `*`, where that takes patterns. */
function patternsOf(expression: string, mayUsePatterns: boolean): string[] {
  const inner = expression.replace(/^\^/, '').replace(/\$$/, '');
  const parts = inner.replace(/^\((?:\?:)?([^()]*)\)$/, '$1').split('|');
  return parts.map((part) => {
    const text = part.replace(/\\([^\w\s])/g, '$1');
    const wild = mayUsePatterns ? part.replace(START, '').replace(END, '') : part;
    if (/(^|[^\\])[[\](){}*+?^$]/.test(wild)) {
      const allowed = mayUsePatterns ? 'values joined by |, with .* at an end' : 'values joined by |';
      throw cannot(`The expression “${expression}” cannot be applied: use ${allowed}.`);
    }
    return mayUsePatterns ? text.replace(START, '*').replace(END, '*') : text;
  });
}

const START = /^\.[*+]/;
const END = /\.[*+]$/;

/** Whether a value passes what must be and what must not; one that is not known is nothing. */
export function passesLists(
  is: readonly string[] | undefined,
  not: readonly string[] | undefined,
  value: string | null,
): boolean {
  const among = (list: readonly string[]) => value !== null && list.some((one) => covers(one, value));
  return (is === undefined || among(is)) && (not === undefined || !among(not));
}

/** Whether a value passes the filters of one key; the others do not concern it. */
export function passesAdHoc(key: string, value: string, adHoc: readonly AdHocVariableFilter[]): boolean {
  const own = adHoc.filter((one) => one.key === key);
  const { is, not } = keyOf(key);
  const filter = withAdHocFilters({}, own);
  return passesLists(filter[is], not && filter[not], value);
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

export function cannot(message: string): AgentError {
  return new AgentError(message, 400, 'ad-hoc-filter');
}
