import { casefold } from './casefold.ts';
import { parsePythonLiteral } from './python-literal.ts';
import type { PythonLiteral } from './python-literal.ts';
import { pythonRepr } from './python-repr.ts';
import type { TaskRecord } from './records.ts';
import type { SearchNode } from './search.ts';

/** What a search looks at. */
export type Searchable = Pick<TaskRecord, 'taskId' | 'name' | 'state' | 'worker' | 'args' | 'kwargs' | 'result'>;

/**
 * Whether a task matches, by flower/utils/search.py `TaskSearchEngine`. The history's SQL finds the same, but for two
 * things told in docs/decisions/0002-text-search.md: a bare whole task id, and letters like ß that fold to ASCII ones.
 */
export function matchesSearch(node: SearchNode, task: Searchable): boolean {
  switch (node.kind) {
    case 'and':
      return node.nodes.every((child) => matchesSearch(child, task));
    case 'or':
      return node.nodes.some((child) => matchesSearch(child, task));
    case 'kwarg':
      return task.kwargs !== null && kwargPairs(task.kwargs).has(casefold(`${node.key}=${node.value}`));
    case 'term':
      return matchesTerm(casefold(node.text), node.field, task);
  }
}

function matchesTerm(text: string, field: Extract<SearchNode, { kind: 'term' }>['field'], task: Searchable): boolean {
  switch (field) {
    case 'state':
      return casefold(task.state) === text;
    case 'id':
      return casefold(task.taskId).includes(text);
    case 'any':
      return [task.taskId, task.name, task.state, task.worker, task.args, task.kwargs, task.result].some((value) =>
        casefold(value ?? '').includes(text),
      );
    default:
      return casefold(task[field] ?? '').includes(text);
  }
}

/** Every `key=value` of a kwargs repr in lower case, texts without quotes, None as nothing; none where it does not parse. */
function kwargPairs(kwargs: string): Set<string> {
  const parsed = parsePythonLiteral(kwargs, { allowEllipsis: true });
  if (parsed?.kind !== 'dict') return new Set();
  return new Set(parsed.entries.map(([key, value]) => casefold(`${plainText(key)}=${plainText(value)}`)));
}

function plainText(value: PythonLiteral): string {
  if (value.kind === 'none') return '';
  if (value.kind === 'str') return value.value;
  if (value.kind === 'bytes') return Buffer.from(value.value).toString('utf8');
  return pythonRepr(value);
}
