/** What failures are grouped by. */
export interface FailureKey {
  /** Exception class without its module, e.g. `ValueError`. */
  readonly type: string;
  /** Message with numbers, ids, quoted texts, addresses and paths replaced by placeholders; at most 300 characters. */
  readonly message: string;
  /** 14 hex digits of (type, message): the same in every replica and release. */
  readonly fingerprint: string;
}

/** `FailureKey.type` where neither the exception nor the traceback tells a class. */
export const UNKNOWN_EXCEPTION = 'Unknown';

/** Only so much of a text is looked at: messages of megabytes must not cost more than others. */
const LOOKED_AT = 2000;
const MESSAGE_LIMIT = 300;

/** Celery 5.7 says this instead of the exception when a child was lost or killed (billiard/einfo.py). */
const WRAPPERS = new Set(['ExceptionWithTraceback', 'None', 'NoneType']);

/**
 * Class name of the exception of a task-failed or task-retried event; null when the event carries neither an
 * exception nor a traceback. Reads the repr first (`ValueError('x')`, `pkg.mod.Error(1)`, `<Error object>`), then the
 * last exception line of the traceback. Values are those of the wire, whatever their type.
 */
export function exceptionType(exception: unknown, traceback: unknown): string | null {
  return parseFailure(exception, traceback)?.type ?? null;
}

/** Group of the failure; null when the event carries neither an exception nor a traceback. */
export function failureKey(exception: unknown, traceback: unknown): FailureKey | null {
  const found = parseFailure(exception, traceback);
  if (found === null) return null;
  const message = normaliseMessage(found.message);
  return { type: found.type, message, fingerprint: hash53(`${found.type}\u0000${message}`) };
}

export interface Failure {
  /** As in `FailureKey`. */
  readonly type: string;
  /** As the exception has it, its first 2000 characters. */
  readonly message: string;
}

/** Class and message of the exception, read as by `exceptionType`; null when neither value tells anything. */
export function parseFailure(exception: unknown, traceback: unknown): Failure | null {
  const text = asText(exception).trim();
  const fromRepr = parseRepr(text);
  if (fromRepr !== null && !WRAPPERS.has(fromRepr.type)) return fromRepr;
  const fromTraceback = parseTraceback(asText(traceback));
  if (fromTraceback !== null) {
    // Celery 4.4 sends the text "None" for the exception of a retry; the cause stands behind the Retry's text.
    const cause = /^Retry in [^:]*: (.+)$/s.exec(fromTraceback.message)?.[1];
    const nested = fromTraceback.type === 'Retry' && cause !== undefined ? parseRepr(cause) : null;
    if (nested !== null) return nested;
    const isText = fromRepr === null && text !== '' && text !== 'None';
    return isText ? { type: fromTraceback.type, message: text.slice(0, LOOKED_AT) } : fromTraceback;
  }
  if (fromRepr !== null) return fromRepr;
  const fromText = text === '' || text === 'None' ? null : parseLine(text);
  if (fromText !== null) return fromText;
  if (text === '' && asText(traceback) === '') return null;
  return { type: UNKNOWN_EXCEPTION, message: text === 'None' ? '' : text.slice(0, LOOKED_AT) };
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return JSON.stringify(value);
}

/** `pkg.Error('message', 2)`, `<pkg.Error object at 0x7f>`, `<Error: message>`, `<class 'pkg.Error'>`. */
function parseRepr(text: string): Failure | null {
  const head = text.slice(0, LOOKED_AT);
  const call = /^(?:[\p{L}_][\p{L}\p{N}_]*\.)*(?:<locals>\.)?([\p{L}_][\p{L}\p{N}_]*)\(/u.exec(head);
  if (call?.[1] !== undefined) {
    const inner = head.slice(call[0].length).trimEnd();
    const args = text.length > LOOKED_AT ? inner : inner.replace(/,?\)$/, '');
    return { type: call[1], message: soleString(args) };
  }
  const unprintable = /^<Unrepresentable <class '(?:[^'.]*\.)*([^'.]+)'>/.exec(head);
  if (unprintable?.[1] !== undefined) return { type: unprintable[1], message: '' };
  const angled = /^<(?:class ')?(?:[\p{L}_][\p{L}\p{N}_]*\.)*([\p{L}_][\p{L}\p{N}_]*)(?:: (.*?))?(?:[ '>]|$)/su.exec(
    head,
  );
  if (angled?.[1] === undefined) return null;
  const said = /^<[^:>]*: (.*)>$/s.exec(head);
  return { type: angled[1], message: said?.[1] ?? '' };
}

/** A single string argument loses its quotes and escapes; other arguments stay as they were written. */
function soleString(args: string): string {
  const quote = args[0];
  if (quote !== "'" && quote !== '"') return args;
  let end = 1;
  while (end < args.length && args[end] !== quote) end += args[end] === '\\' ? 2 : 1;
  const isWhole = end >= args.length - 1;
  if (!isWhole) return args;
  return args
    .slice(1, end)
    .replace(/\\([nrt'"\\])/g, (_, escaped: string) => ('nrt'.includes(escaped) ? ' ' : escaped));
}

/** The exception line stands first after the frames (indented lines) of the last traceback in the text. */
function parseTraceback(text: string): Failure | null {
  if (text === '') return null;
  const header = text.lastIndexOf('Traceback (most recent call last)');
  let at = header === -1 ? 0 : text.indexOf('\n', header) + 1;
  if (header !== -1 && at === 0) return null;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const isFrame = /^\s|^$/.test(text.slice(at, at + 1)) || text[at] === '\n';
    if (!isFrame) {
      const found = parseLine(text.slice(at, at + LOOKED_AT));
      if (found !== null) return found;
      if (header !== -1) return null;
    }
    if (end === -1) return null;
    at = end + 1;
  }
  return null;
}

/** `pkg.mod.Error: message` or `pkg.mod.Error` alone. */
function parseLine(text: string): Failure | null {
  const line =
    /^(?:[\p{L}_][\p{L}\p{N}_]*\.)*(?:<locals>\.)?(\p{Lu}[\p{L}\p{N}_]*|_[\p{L}\p{N}_]*)(?::\s?(.*)|\s*)$/su.exec(text);
  if (line?.[1] === undefined) {
    const head = /^(?:[\p{L}_][\p{L}\p{N}_]*\.)+([\p{L}_][\p{L}\p{N}_]*)(?::\s?(.*)|\s*)$/su.exec(text);
    return head?.[1] === undefined ? null : { type: head[1], message: (head[2] ?? '').trim() };
  }
  const message = (line[2] ?? '').trim();
  // billiard's exceptions print their own repr as message: `TimeLimitExceeded: TimeLimitExceeded(1,)`.
  const own = message.startsWith(`${line[1]}(`) ? parseRepr(message) : null;
  return own ?? { type: line[1], message };
}

const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"`<>)\]]+/gi, '<url>'],
  [/[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]+)+/g, '<email>'],
  [/\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  [/(?<!\w)[bru]{0,2}(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)(?!\w)/g, '<str>'],
  [/(?<![\w/])(?:[A-Za-z]:)?(?:[/\\][\w.@~+-]+){2,}[/\\]?/g, '<path>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<addr>'],
  [/\b0x[0-9a-f]+\b/gi, '<hex>'],
  [/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b/gi, '<hex>'],
  [/(?:(?<![\w.)\]])[-+])?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi, '<n>'],
];

function normaliseMessage(message: string): string {
  let text = message.slice(0, LOOKED_AT);
  for (const [pattern, placeholder] of PLACEHOLDERS) text = text.replace(pattern, placeholder);
  return text.replace(/\s+/g, ' ').trim().slice(0, MESSAGE_LIMIT);
}

/** cyrb53 (public domain): 53 well-mixed bits from two 32-bit lanes, without a library and without BigInt. */
function hash53(text: string): string {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 2654435761);
    high = Math.imul(high ^ code, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return (4294967296 * (2097151 & high) + (low >>> 0)).toString(16).padStart(14, '0');
}
