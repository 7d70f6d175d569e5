import { EXCEPTION_STATES } from '../core/state/states.ts';
import { pickleJson, pickleRepr } from '../core/wire/pickle.ts';
import type { PickleValue } from '../core/wire/pickle.ts';
import type { StoredResult } from './port.ts';
import { MAX_VALUE } from './stored-value.ts';
import type { Members, StoredValue } from './stored-value.ts';

const NOTHING: StoredValue = { json: 'null', repr: null };
const EXTENDED = ['name', 'args', 'kwargs', 'worker', 'retries', 'queue'] as const;

/** A task's meta as the port tells it; undefined where it names no state. */
export function storedResult(taskId: string, meta: Members): StoredResult | undefined {
  const status = textOf(meta.get('status'));
  if (status === null) return undefined;
  const result = cut(failure(status, meta.get('result') ?? NOTHING));
  const dateDone = textOf(meta.get('date_done'));
  return {
    taskId,
    status,
    resultJson: result.json,
    resultRepr: result.repr,
    traceback: textOf(meta.get('traceback'))?.slice(-MAX_VALUE) ?? null,
    dateDoneMs: dateDone === null ? null : epochMs(dateDone),
    ...(EXTENDED.some((name) => meta.has(name)) && { extended: extendedOf(meta) }),
  };
}

/** Group that it ran in, or whose chord it was in the header of. */
export function groupOf(meta: Members): string | null {
  return textOf(meta.get('group_id'));
}

/** What is told of a value that was not read, or not to its end. */
export function unreadResult(taskId: string, status: string, repr: string): StoredResult {
  return { taskId, status, resultJson: null, resultRepr: repr, traceback: null, dateDoneMs: null };
}

/** An instant of ISO 8601; without an offset it is UTC (Celery up to 5.3). Null where it is none. */
export function epochMs(text: string): number | null {
  const zoned = /(?:Z|[+-]\d\d:?\d\d(?::\d\d)?)$/.test(text) ? text : `${text}Z`;
  const instant = Date.parse(zoned.replace(' ', 'T'));
  return Number.isNaN(instant) ? null : instant;
}

function extendedOf(meta: Members): NonNullable<StoredResult['extended']> {
  const json = (name: string, open: string): string | null => {
    const text = meta.get(name)?.json ?? null;
    return text !== null && text.length <= MAX_VALUE && text.startsWith(open) ? text : null;
  };
  const retries = Number(meta.get('retries')?.json ?? NaN);
  return {
    name: textOf(meta.get('name')),
    argsJson: json('args', '['),
    kwargsJson: json('kwargs', '{'),
    worker: textOf(meta.get('worker')),
    retries: Number.isSafeInteger(retries) && meta.get('retries')?.json !== 'null' ? retries : null,
    queue: textOf(meta.get('queue')),
  };
}

/** The text that a value is, or holds as a date does; null where it is none. */
function textOf(value: StoredValue | undefined): string | null {
  if (value?.json === null || value === undefined) return null;
  const tagged = /^\{"__type__": "(?:datetime|date)", "__value__": ("[^"]*")\}$/.exec(value.json)?.[1];
  try {
    const read: unknown = JSON.parse(tagged ?? value.json);
    return typeof read === 'string' ? read : null;
  } catch {
    return null;
  }
}

/** With `result_serializer = 'pickle'` an exception is stored itself: told as the other serializers do. */
function failure(status: string, result: StoredValue): StoredValue {
  const { pickled } = result;
  if (!EXCEPTION_STATES.has(status) || pickled?.kind !== 'object') return result;
  const wrapped = pickled.name.endsWith('.UnpickleableExceptionWrapper') ? unwrapped(pickled.args) : undefined;
  const dot = pickled.name.lastIndexOf('.');
  const module = wrapped?.module ?? pickled.name.slice(0, Math.max(dot, 0)).replace(/^exceptions$/, 'builtins');
  const args = wrapped?.args ?? pickled.args;
  const messages = args.map((arg) => pickleJson(arg, MAX_VALUE / 4) ?? JSON.stringify(pickleRepr(arg, 10_000)));
  const type = JSON.stringify(wrapped?.type ?? pickled.name.slice(dot + 1));
  const json = `{"exc_type": ${type}, "exc_message": [${messages.join(', ')}], "exc_module": ${JSON.stringify(module)}}`;
  return { json, repr: null };
}

/** celery/utils/serialization.py: `(module, class name, arguments, text)` of an exception that pickle refused. */
function unwrapped(args: readonly PickleValue[]): { module: string; type: string; args: PickleValue[] } | undefined {
  const [module, type, inner] = args;
  if (module?.kind !== 'str' || type?.kind !== 'str' || inner === undefined || !('items' in inner)) return undefined;
  return { module: module.value, type: type.value, args: inner.items };
}

function cut({ json, repr }: StoredValue): StoredValue {
  if (json === null || json.length <= MAX_VALUE) return { json, repr };
  return { json: null, repr: `${json.slice(0, MAX_VALUE)}… (cut: ${json.length} characters in all)` };
}
