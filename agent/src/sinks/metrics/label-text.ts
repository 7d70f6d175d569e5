/** Longer label values are cut: a name that came from a broken sender must not make a megabyte of every scrape. */
const LABEL_LIMIT = 1000;

/**
 * A label value from a wire value of any type, as Python's `str` prints it; empty for null and undefined. Halves of surrogate
 * pairs become U+FFFD here: two values that UTF-8 cannot tell apart must be one series.
 */
export function labelText(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, LABEL_LIMIT).toWellFormed();
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return JSON.stringify(value).slice(0, LABEL_LIMIT).toWellFormed();
}

/** Host part of a node name, as the exporter labels it (celery/utils/nodenames.py `nodesplit`): all of it without an `@`. */
export function hostOf(node: string): string {
  return node.slice(node.indexOf('@') + 1);
}

/** `a="x",b="y"` with the escapes of both text formats. */
export function labelPairs(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (const [index, name] of names.entries()) {
    text += `${index === 0 ? '' : ','}${name}="${escapeLabel(values[index] ?? '')}"`;
  }
  return text;
}

/** Text of a HELP line. */
export function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeLabel(value: string): string {
  return /[\\\n"]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"') : value;
}
