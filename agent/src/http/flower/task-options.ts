import type { NewTask, TaskOptions } from '../../core/control/service.ts';
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
  const kwargsJson = members.get('kwargs') ?? '{}';
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

/** Options of the publisher's connection, which have no meaning here. */
const IGNORED = ['timeout', 'retry', 'retry_policy', 'add_to_parent'];

/**
 * What `apply_async` takes, as far as a task without callbacks has it. Times without a zone are UTC, Celery's default.
 *
 * @param form `converted`: as apply and async-apply do (`normalize_options`); `plain`: send-task hands ISO texts on
 * @throws FlowerError 400 where Flower 2.2 answers 500, with the option's name; `Invalid option` where it says so
 */
export function toTaskOptions(options: TaskBody['options'], nowMs: number, form: 'converted' | 'plain'): TaskOptions {
  const instant = form === 'converted' ? flowersInstant : isoInstant;
  const result: { -readonly [K in keyof TaskOptions]: TaskOptions[K] } = {};
  const limits: [number | null, number | null] = [null, null];
  const headers: Record<string, unknown> = {};
  for (const [name, value] of options) {
    if (IGNORED.includes(name) || value === null) continue;
    switch (name) {
      case 'queue':
      case 'routing_key':
        result.queue ??= textOf(name, value);
        break;
      case 'task_id':
        result.taskId = textOf(name, value);
        break;
      case 'priority':
        result.priority = Math.trunc(needNumber(name, value));
        break;
      case 'countdown':
        // 0 is none (celery/app/amqp.py).
        if (needNumber(name, value) !== 0) result.etaMs = nowMs + needNumber(name, value) * 1000;
        break;
      case 'eta':
        result.etaMs ??= instant(value);
        break;
      case 'expires':
        result.expiresMs = expiresMs(value, nowMs, instant);
        break;
      case 'time_limit':
        limits[0] = needNumber(name, value);
        break;
      case 'soft_time_limit':
        limits[1] = needNumber(name, value);
        break;
      case 'headers':
        if (typeof value !== 'object' || Array.isArray(value)) throw new FlowerError(400, 'headers must be an object');
        Object.assign(headers, value);
        break;
      case 'shadow':
      case 'ignore_result':
        headers[name] = value;
        break;
      case 'serializer':
        if (value !== 'json') throw new FlowerError(400, "serializer must be 'json'");
        break;
      default:
        throw new FlowerError(400, `Unknown option '${name}'`);
    }
  }
  if (options.has('queue')) result.queue = textOf('queue', options.get('queue') ?? '');
  if (limits.some((limit) => limit !== null)) result.timeLimit = limits;
  if (Object.keys(headers).length > 0) result.headers = headers;
  return result;
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

/** ISO 8601; without a zone UTC. */
function isoInstant(value: unknown): number {
  const text = typeof value === 'string' ? value.trim().replace(' ', 'T') : '';
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

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new FlowerError(400, `${name} must be a text`);
}
