import type { ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import type { CeleryQuery } from './query';

/** Mark the values of a variable within a text; in no saved query. */
const [OPEN, BETWEEN] = ['\u0001', '\u0002'];

/** Members of queries that hold names of members or of choices, not texts of the user. */
const FIXED: readonly string[] = [
  'refId',
  'kind',
  'datasource',
  'show',
  'order',
  'sort',
  'columns',
  'by',
  'key',
  'types',
  'outcomes',
];
/** A value of a variable that stands for every value. */
const EVERYTHING: readonly string[] = ['$__all', '*', '.*'];

type Srv = Pick<TemplateSrv, 'replace'>;

/**
 * A query without template variables. In a list a variable with several values becomes several entries; one that is set
 * to “All” takes the list away, since no filter means everything. In a single text the first value counts.
 */
export function interpolateQuery<Q extends CeleryQuery>(query: Q, srv: Srv, scopedVars: ScopedVars): Q {
  return members(query, (value) => replaced(value, srv, scopedVars));
}

/** Whether any text of the query holds a variable. */
export function holdsTemplate(query: CeleryQuery, contains: (text: string) => boolean): boolean {
  let found = false;
  members(query, (value) => {
    found ||= [value].flat().some((text) => contains(text));
    return value;
  });
  return found;
}

/** Applies a function to every text and list of texts of the query and of its filter. */
function members<T extends object>(object: T, change: (value: string | string[]) => string | string[] | undefined): T {
  const entries = Object.entries(object).map(([name, value]: [string, unknown]) => {
    if (FIXED.includes(name)) {
      return [name, value];
    }
    if (typeof value === 'string' || isTexts(value)) {
      return [name, change(value)];
    }
    return [name, name === 'filter' && typeof value === 'object' && value !== null ? members(value, change) : value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function replaced(value: string | string[], srv: Srv, scopedVars: ScopedVars): string | string[] | undefined {
  if (typeof value === 'string') {
    const choices = choicesOf(value, srv, scopedVars);
    return choices === 'all' ? undefined : choices[0];
  }
  const all = value.map((one) => choicesOf(one, srv, scopedVars));
  if (all.includes('all')) {
    return undefined;
  }
  const texts = all.flat().filter((text) => text.trim() !== '');
  return texts.length === 0 ? undefined : [...new Set(texts)];
}

/** Every text that `text` stands for; with several variables in it, every combination. */
function choicesOf(text: string, srv: Srv, scopedVars: ScopedVars): readonly string[] | 'all' {
  let isAll = false;
  const marked = srv.replace(text, scopedVars, (value: unknown, variable: { name?: string } | undefined) => {
    const values = [value].flat().map(String);
    isAll ||= values.some((one) => EVERYTHING.includes(one)) || isSetToAll(variable?.name, srv, scopedVars);
    return `${OPEN}${values.join(BETWEEN)}${OPEN}`;
  });
  if (isAll || EVERYTHING.includes(marked)) {
    return 'all';
  }
  return marked
    .split(OPEN)
    .map((part, index) => (index % 2 === 0 ? [part] : part.split(BETWEEN)))
    .reduce<string[]>((texts, choices) => texts.flatMap((start) => choices.map((end) => start + end)), ['']);
}

/** Grafana hands over every value of a variable set to “All”; only its text tells. */
function isSetToAll(name: string | undefined, srv: Srv, scopedVars: ScopedVars): boolean {
  return name !== undefined && name !== '' && srv.replace(`\${${name}:text}`, scopedVars) === 'All';
}
