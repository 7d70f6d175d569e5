/** A value as Python's `repr` writes it, as far as the demo's arguments go. */
export type PythonValue =
  string | number | boolean | null | readonly PythonValue[] | { readonly [key: string]: PythonValue };

export function repr(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (isList(value)) return `[${value.map(repr).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
    .join(', ')}}`;
}

/** Positional arguments: a tuple. */
export function tupleRepr(items: readonly PythonValue[]): string {
  return items.length === 1 ? `(${items.map(repr).join('')},)` : `(${items.map(repr).join(', ')})`;
}

function isList(
  value: readonly PythonValue[] | { readonly [key: string]: PythonValue },
): value is readonly PythonValue[] {
  return Array.isArray(value);
}

/** What Celery 5.7 sends as `traceback` for an exception raised in the task `name`. */
export function traceback(name: string, exception: string, line: number): string {
  const parts = name.split('.');
  const func = parts.at(-1) ?? name;
  const celery = '/srv/venv/lib/python3.12/site-packages/celery/app/trace.py';
  return [
    'Traceback (most recent call last):',
    `  File "${celery}", line 564, in trace_task`,
    '    R = retval = fun(*args, **kwargs)',
    '                 ^^^^^^^^^^^^^^^^^^^^',
    `  File "${celery}", line 883, in __protected_call__`,
    '    return self.run(*args, **kwargs)',
    '           ^^^^^^^^^^^^^^^^^^^^^^^^^',
    `  File "/srv/app/${parts.slice(0, -1).join('/')}.py", line ${line}, in ${func}`,
    `    response = client.${func}(payload)`,
    '               ^^^^^^^^^^^^^^^^^^^^^^',
    exceptionLine(exception),
    '',
  ].join('\n');
}

/** `ValueError('no')` → `ValueError: no`, the last line of a traceback. */
function exceptionLine(exception: string): string {
  const match = /^(\w+)\((?:'([^']*)'|"([^"]*)")?.*\)$/.exec(exception);
  const message = match?.[2] ?? match?.[3] ?? '';
  return message === '' ? (match?.[1] ?? exception) : `${match?.[1] ?? ''}: ${message}`;
}
