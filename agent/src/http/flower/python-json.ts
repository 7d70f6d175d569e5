import { WideInteger } from '../../core/wire/wide-integer.ts';

/**
 * The text that Python's `json.dumps` gives, as tornado prints it (tornado/escape.py `json_encode`): ASCII only,
 * `, ` and `: ` between the parts, floats as `repr(float)`, `</` as `<\/`.
 */

/** A float as Python's `repr` writes it: `1795405139.0`, `1e+16`, `5e-07`, `NaN`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) return exponentText(value);
  // In this range neither language writes an exponent.
  const text = value.toString();
  return text.includes('.') ? text : `${text}.0`;
}

function exponentText(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const digits = exponent.slice(1).padStart(2, '0');
  return `${mantissa}e${exponent.slice(0, 1)}${digits}`;
}

/** A whole number as Python's `int`. */
export function intText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : floatText(value);
}

export function stringText(value: string): string {
  // JSON.stringify escapes what is below a blank and lone surrogates just as Python does, in lower-case hex too.
  return JSON.stringify(value)
    .replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('</', '<\\/');
}

/** Any decoded JSON value. A number without a fraction prints as an int: JavaScript cannot tell `1.0` from `1`. */
export function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? intText(value) : floatText(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : containerText(value);
    default:
      return 'null';
  }
}

function containerText(value: object): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  // Numbers that JavaScript cannot hold come as objects that know their own digits.
  if (value instanceof WideInteger) return value.digits;
  if ('isLosslessNumber' in value && 'value' in value) return String(value.value);
  const members = Object.entries(value).map(([key, member]) => `${stringText(key)}: ${valueText(member)}`);
  return `{${members.join(', ')}}`;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN|true|false|null|[-+.\deE]+|[[\]{},:]/g;

/** A valid JSON text as Python prints the value it reads from it: `3.0` stays a float, an integer keeps its digits. */
export function reprintedText(json: string): string {
  const parts: string[] = [];
  for (const [token] of json.matchAll(TOKEN)) parts.push(reprintedToken(token));
  return parts.join('');
}

function reprintedToken(token: string): string {
  if (token === ',' || token === ':') return `${token} `;
  if (token.startsWith('"')) return stringText(JSON.parse(token) as string);
  if (!/^-?\d/.test(token)) return token;
  if (/[.eE]/.test(token)) return floatText(Number(token));
  return token === '-0' ? '0' : token;
}
