import type { NewTask, TaskOptions } from '../../core/control/service.ts';
import { isRecord } from '../../core/wire/envelope.ts';
import { FlowerError } from './flower-error.ts';
import { JsonFault, membersOf } from './json-body.ts';

/** The body of a new task, its options not yet judged: Flower looks whether the task is known in between. */
export interface TaskBody {
  readonly argsJson: string;
  readonly kwargsJson: string;
  readonly options: ReadonlyMap<string, unknown>;
}

/** Flower's `get_task_args` (flower/api/tasks.py). @throws FlowerError 400 */
export function readTaskBody(text: string): TaskBody {
  const members = text === '' ? new Map<string, string>() : readMembers(text);
  const argsJson = members.get('args') ?? '[]';
  if (!argsJson.startsWith('[')) throw new FlowerError(400, 'args must be an array');
  // Celery takes None and an empty list, which is PHP's empty object, for no keyword arguments, and Flower hands it on.
  const given = members.get('kwargs') ?? 'null';
  const kwargsJson = given === 'null' || /^\[\s*\]$/.test(given) ? '{}' : given;
  if (!kwargsJson.startsWith('{')) throw new FlowerError(400, 'kwargs must be an object');
  const options = [...members].filter(([key]) => key !== 'args' && key !== 'kwargs');
  return { argsJson, kwargsJson, options: new Map(options.map(([key, json]) => [key, valueOf(json)])) };
}

function readMembers(text: string): ReadonlyMap<string, string> {
  let members: ReadonlyMap<string, string> | undefined;
  try {
    members = membersOf(text);
  } catch (error) {
    throw error instanceof JsonFault ? new FlowerError(400, error.message) : error;
  }
  if (members === undefined) throw new FlowerError(400, 'invalid options');
  return members;
}

/** Of an option; `NaN` and the like are none that any option takes. */
function valueOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Seconds to wait for the result, as ms; undefined for ever. @throws FlowerError 400 */
export function timeoutMs(options: TaskBody['options']): number | undefined {
  const timeout = options.get('timeout') ?? null;
  if (timeout === null) return undefined;
  const seconds = numberOf(timeout);
  if (seconds === undefined) throw new FlowerError(400, 'Invalid timeout');
  return Math.max(seconds * 1000, 0);
}

type Draft = { -readonly [K in keyof TaskOptions]: TaskOptions[K] };

interface Reading {
  readonly nowMs: number;
  readonly instant: (value: unknown) => number;
}

/** Puts the value of an option, never null, where it belongs. */
type Take = (draft: Draft, value: unknown, name: string, reading: Reading) => void;

const nothing: Take = () => undefined;

const toHeader: Take = (draft, value, name) => {
  // What `headers` says wins, as in Celery.
  draft.headers = { [name]: value, ...draft.headers };
};

const TAKES = new Map<string, Take>([
  // Of the publisher's connection, which have no meaning here.
  ...['timeout', 'retry', 'retry_policy', 'confirm_timeout', 'add_to_parent'].map((name) => [name, nothing] as const),
  ['queue', (draft, value, name) => (draft.queue = stringOf(name, value))],
  ['routing_key', (draft, value, name) => (draft.queue ??= stringOf(name, value))],
  ['exchange', refuseExchange],
  ['task_id', (draft, value, name) => (draft.taskId = stringOf(name, value))],
  ['priority', (draft, value, name) => (draft.priority = Math.trunc(needNumber(name, value)))],
  ['countdown', (draft, value, name, { nowMs }) => setCountdown(draft, needNumber(name, value), nowMs)],
  ['eta', (draft, value, _name, { instant }) => (draft.etaMs ??= instant(value))],
  ['expires', (draft, value, _name, { nowMs, instant }) => (draft.expiresMs = expiresMs(value, nowMs, instant))],
  ['time_limit', (draft, value, name) => (draft.timeLimit = [needNumber(name, value), draft.timeLimit?.[1] ?? null])],
  [
    'soft_time_limit',
    (draft, value, name) => (draft.timeLimit = [draft.timeLimit?.[0] ?? null, needNumber(name, value)]),
  ],
  ['headers', (draft, value) => (draft.headers = { ...draft.headers, ...headersOf(value) })],
  ['shadow', toHeader],
  ['ignore_result', toHeader],
  ['root_id', (draft, value, name, reading) => toHeader(draft, stringOf(name, value), name, reading)],
  ['parent_id', (draft, value, name, reading) => toHeader(draft, stringOf(name, value), name, reading)],
  ['argsrepr', (draft, value, name) => (draft.argsrepr = stringOf(name, value))],
  ['kwargsrepr', (draft, value, name) => (draft.kwargsrepr = stringOf(name, value))],
  ['delivery_mode', (draft, value) => (draft.deliveryMode = deliveryModeOf(value))],
  ['compression', setCompression],
  ['serializer', (_draft, value) => requireJson(value)],
]);

/** Known to `apply_async`, and not honoured: refused by name, so that nobody takes them for done. */
const REFUSED = new Set([
  ...['link', 'link_error', 'chain', 'chord', 'group_id', 'group_index', 'reply_to', 'retries', 'exchange_type'],
  ...['declare', 'mandatory', 'immediate', 'expiration', 'stamped_headers', 'replaced_task_nesting'],
]);

/** Of these, as of those above, Celery asks only whether they are true. */
const NONE_WHEN_EMPTY = new Set([
  ...['queue', 'routing_key', 'exchange', 'task_id', 'root_id', 'parent_id'],
  ...['headers', 'compression'],
]);

/**
 * What `apply_async` takes, as far as a task without callbacks has it; null is as if it were not there. Times without a
 * zone are UTC, Celery's default.
 *
 * @param form `converted`: as apply and async-apply do (`normalize_options`); `plain`: send-task hands ISO texts on
 * @throws FlowerError 400 where Flower 2.2 answers 500, with the option's name; `Invalid option` where it says so
 */
export function toTaskOptions(options: TaskBody['options'], nowMs: number, form: 'converted' | 'plain'): TaskOptions {
  const reading = { nowMs, instant: form === 'converted' ? flowersInstant : isoInstant };
  const draft: Draft = {};
  for (const [name, value] of options) {
    if (value === null || (isEmpty(value) && isNoneWhenEmpty(name, form))) continue;
    const take = TAKES.get(name);
    if (REFUSED.has(name)) throw new FlowerError(400, `Option '${name}' is not supported: leave it out`);
    if (take === undefined) throw new FlowerError(400, `Unknown option '${name}'`);
    take(draft, value, name, reading);
  }
  return draft;
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

function isNoneWhenEmpty(name: string, form: 'converted' | 'plain'): boolean {
  return REFUSED.has(name) || NONE_WHEN_EMPTY.has(name) || (form === 'plain' && ['eta', 'countdown'].includes(name));
}

function refuseExchange(): never {
  throw new FlowerError(400, "exchange must be '' or left out: name the queue by 'queue' or 'routing_key'");
}

function requireJson(value: unknown): void {
  if (value !== 'json') throw new FlowerError(400, "serializer must be 'json'");
}

function setCountdown(draft: Draft, seconds: number, nowMs: number): void {
  // 0 is none (celery/app/amqp.py).
  if (seconds !== 0) draft.etaMs = nowMs + seconds * 1000;
}

function headersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw new FlowerError(400, 'headers must be an object');
}

/** kombu's names and numbers (kombu/entity.py `DELIVERY_MODES`). */
function deliveryModeOf(value: unknown): 1 | 2 {
  if (value === 1 || value === 'transient') return 1;
  if (value === 2 || value === 'persistent') return 2;
  throw new FlowerError(400, 'delivery_mode must be 1 (transient) or 2 (persistent)');
}

function setCompression(draft: Draft, value: unknown): void {
  if (value !== 'gzip' && value !== 'zlib' && value !== 'application/x-gzip') {
    throw new FlowerError(400, "compression must be 'gzip' or 'zlib', or left out");
  }
  draft.compression = 'zlib';
}

export function newTask(name: string, { argsJson, kwargsJson }: TaskBody, options: TaskOptions): NewTask {
  return { name, argsJson, kwargsJson, options };
}

function expiresMs(value: unknown, nowMs: number, instant: (value: unknown) => number): number {
  const seconds = numberOf(value);
  return seconds === undefined ? instant(value) : nowMs + seconds * 1000;
}

/** `%Y-%m-%d %H:%M:%S.%f`. */
function flowersInstant(value: unknown): number {
  const match =
    typeof value === 'string' ? /^(\d{4})-(\d\d?)-(\d\d?)\s+(\d\d?):(\d\d?):(\d\d?)\.(\d{1,6})$/.exec(value) : null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? []).slice(1, 7).map(Number);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const isReal =
    new Date(ms).getUTCDate() === day && month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60;
  if (match === null || !isReal) throw new FlowerError(400, 'Invalid option');
  return ms + Number(`0.${match[7] ?? '0'}`) * 1000;
}

/** ISO 8601; without a zone UTC, without a time midnight. */
function isoInstant(value: unknown): number {
  const given = typeof value === 'string' ? value.trim().replace(' ', 'T') : '';
  const text = /^\d{4}-\d\d-\d\d$/.test(given) ? `${given}T00:00` : given;
  const hasZone = /(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text);
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(hasZone ? text : `${text}Z`) : NaN;
  if (Number.isNaN(ms)) throw new FlowerError(400, 'Invalid option');
  return ms;
}

function needNumber(name: string, value: unknown): number {
  const number = numberOf(value);
  if (number !== undefined) return number;
  throw new FlowerError(400, name === 'countdown' ? 'Invalid option' : `${name} must be a number`);
}

/** Python's `float()` takes a text as well. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function stringOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new FlowerError(400, `${name} must be a text`);
}
