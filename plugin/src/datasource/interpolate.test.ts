import { holdsTemplate, interpolateQuery } from './interpolate';
import { migrateQuery } from './migrate';
import type { CeleryQuery } from './query';

const VALUES: Readonly<Record<string, { value: string | string[]; text?: string }>> = {
  one: { value: 'x' },
  many: { value: ['a', 'b'] },
  all: { value: ['a', 'b', 'c'], text: 'All' },
  none: { value: [] },
  // As Grafana gives an own “all value”: as it is, unformatted.
  regex: { value: '.*' },
};

/** As Grafana's `replace`: `$name`, `${name}` and `${name:text}`. */
const srv = {
  replace: (text = '', _vars?: unknown, format?: unknown) =>
    text.replace(/\$\{(\w+):text\}|\$\{(\w+)\}|\$(\w+)/g, (match, asText, braced, plain) => {
      const name = asText ?? braced ?? plain;
      const found = VALUES[name];
      if (found === undefined) {
        return match;
      }
      if (asText !== undefined) {
        return found.text ?? String(found.value);
      }
      return typeof format === 'function' && name !== 'regex' ? format(found.value, { name }) : String(found.value);
    }),
};
const tasks = (filter: object): CeleryQuery => ({ refId: 'A', kind: 'tasks', filter });

it.each([
  [{ names: ['app.$many', 'z'] }, { names: ['app.a', 'app.b', 'z'] }],
  [{ names: ['$many.${many}'] }, { names: ['a.a', 'a.b', 'b.a', 'b.b'] }],
  [{ names: ['$all'], states: ['$one'] }, { states: ['x'] }],
  [{ names: ['z', '$regex'] }, {}],
  [{ names: ['$none'] }, {}],
  [{ names: ['*'] }, {}],
  [{ names: ['$unknown'] }, { names: ['$unknown'] }],
  [
    { rootId: '$many', search: 'name:$one' },
    { rootId: 'a', search: 'name:x' },
  ],
  [{ rootId: '$all' }, {}],
])('%j becomes %j', (filter, expected) => {
  expect(interpolateQuery(tasks(filter), srv, {})).toEqual({ refId: 'A', kind: 'tasks', filter: expected });
});

it('leaves what is no text of the user alone', () => {
  const query: CeleryQuery = { refId: '$one', kind: 'series', by: ['name'], step: '$one', limit: 5 };
  expect(interpolateQuery(query, srv, {})).toEqual({ ...query, step: 'x' });
});

it('tells whether a variable is in it', () => {
  const contains = (text: string) => text.includes('$');
  expect(holdsTemplate(tasks({ names: ['a', '$b'] }), contains)).toBe(true);
  expect(holdsTemplate(tasks({ names: ['a'] }), contains)).toBe(false);
});

it.each([
  [
    { refId: 'A', kind: 'workers' },
    { refId: 'A', kind: 'workers' },
  ],
  [{ refId: 'A' }, { refId: 'A', kind: 'tasks' }],
  [
    { refId: 'A', query: ' 5d2e ', queryType: 'x' },
    { refId: 'A', kind: 'task', taskId: '5d2e' },
  ],
])('a saved %j is read as %j', (saved, expected) => {
  expect(migrateQuery(saved as CeleryQuery)).toEqual(expected);
});
