import { pythonRepr } from '../query/python-repr.ts';

/** Celery cuts `argsrepr` and `kwargsrepr` there (celery/app/amqp.py `argsrepr_maxsize`). */
const MAX_REPR = 1024;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN|true|false|null|[-+.\deE]+|[[\]{},:]/g;
const WORDS: Readonly<Record<string, string>> = {
  true: 'True',
  false: 'False',
  null: 'None',
  NaN: 'nan',
  Infinity: 'inf',
  '-Infinity': '-inf',
  ',': ', ',
  ':': ': ',
};

/**
 * A valid JSON text as Python would print the value, every digit of its integers kept; an array at the top as a tuple.
 * Near Celery's saferepr: cut off after 1024 characters with `...`, for display only.
 */
export function jsonRepr(json: string): string {
  const tuple = json.trimStart().startsWith('[');
  let repr = '';
  let depth = 0;
  let commas = 0;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '[' || token === '{') depth += 1;
    const atTop = depth === 1;
    if (token === ']' || token === '}') depth -= 1;
    if (atTop && token === ',') commas += 1;
    if (tuple && atTop && token === '[') repr += '(';
    else if (tuple && depth === 0 && token === ']') repr += commas === 0 && repr !== '(' ? ',)' : ')';
    else repr += tokenRepr(token);
    if (repr.length > MAX_REPR) return `${repr.slice(0, MAX_REPR)}...${tuple ? ')' : '}'}`;
  }
  return repr;
}

function tokenRepr(token: string): string {
  const word = WORDS[token];
  if (word !== undefined) return word;
  if (token.startsWith('"')) return pythonRepr({ kind: 'str', value: JSON.parse(token) as string });
  if (/[.eE]/.test(token)) return pythonRepr({ kind: 'float', value: Number(token) });
  return token;
}
