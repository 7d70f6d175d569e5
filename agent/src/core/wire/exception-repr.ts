import { jsonRepr } from './json-repr.ts';
import { memberTexts } from './json-slice.ts';

/** `ValueError('boom')` of `{exc_type, exc_message, exc_module}` (celery/backends/base.py `prepare_exception`). */
export function exceptionRepr(json: string): string | undefined {
  const members = memberTexts(json);
  const type = textOf(members?.get('exc_type'));
  if (type === undefined) return undefined;
  const message = members?.get('exc_message') ?? '[]';
  // Cut out as text: JSON.parse would take the fraction from 1.0, and digits from a long integer.
  const args = message.startsWith('[') ? message : `[${message}]`;
  return type + jsonRepr(args).replace(/,\)$/, ')');
}

function textOf(json: string | undefined): string | undefined {
  try {
    const value: unknown = json === undefined ? undefined : JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
