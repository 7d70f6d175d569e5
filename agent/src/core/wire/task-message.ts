import { deflateSync } from 'node:zlib';
import { ControlRefused } from '../control/command.ts';
import type { NewTask, TaskOptions } from '../control/service.ts';
import { isRecord } from './envelope.ts';
import { jsonRepr } from './json-repr.ts';
import { parsePythonJson } from './json.ts';

/** A task message of protocol 2 (celery/app/amqp.py `as_task_v2`), before it is wrapped for the broker. */
export interface TaskMessage {
  readonly id: string;
  readonly name: string;
  /** `[args, kwargs, embed]` in the content type's form, compressed where the header `compression` says so. */
  readonly body: Buffer;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** 0 to 255; undefined: none asked for. */
  readonly priority?: number;
  /** 1: may be lost when the broker restarts; undefined: 2, kept. */
  readonly deliveryMode?: 1 | 2;
  /** Milliseconds the broker may keep it, where it can (AMQP `expiration`). */
  readonly expirationMs?: number;
}

/** What a message needs to know beside the task. */
export interface TaskMessageContext {
  /** Id of the new task; never one that was used before, whose stored result would not be overwritten. */
  readonly id: string;
  /** Who sends it, e.g. `umbel@host`; Celery's own form is `gen123@host`. */
  readonly origin: string;
  /** Epoch ms. */
  readonly nowMs: number;
}

/** No callback, chain or chord: they would run a second time. */
const EMBED = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}';
/** What kombu calls a zlib stream (kombu/compression.py). */
const ZLIB = 'application/x-gzip';
/**
 * Protocol headers that a caller's own headers may take the place of. The others decide what runs, and a foreign
 * `group` or `chord` would be counted with the members of the first run; `compression` says what was done here.
 */
const REPLACEABLE = new Set(['shadow', 'root_id', 'parent_id', 'ignore_result', 'stamped_headers', 'stamps']);

/**
 * A message of protocol 2 for a new task. Its arguments' JSON texts go into the body as they are, byte for byte.
 * @throws ControlRefused `bad-argument`, field `args`, `kwargs` or `eta`…, for what a worker could not run
 */
export function buildTaskMessage(task: NewTask, context: TaskMessageContext): TaskMessage {
  const { argsJson, kwargsJson, options } = task;
  if (task.name === '') throw new ControlRefused('bad-argument', 'the task has no name: write one', 'name');
  requireJson(argsJson, 'args', Array.isArray, 'an array, e.g. [1, 2]');
  requireJson(kwargsJson, 'kwargs', isRecord, 'an object, e.g. {"x": 1}');
  requirePriority(options.priority);
  const body = Buffer.from(`[${argsJson}, ${kwargsJson}, ${EMBED}]`);
  const compressed = options.compression === 'zlib';
  return {
    id: context.id,
    name: task.name,
    body: compressed ? deflateSync(body) : body,
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: { ...headersOf(task, context), ...(compressed && { compression: ZLIB }) },
    ...(options.priority !== undefined && { priority: options.priority }),
    ...(options.deliveryMode !== undefined && { deliveryMode: options.deliveryMode }),
    ...(options.expiresMs !== undefined && {
      expirationMs: Math.max(0, Math.round(options.expiresMs - context.nowMs)),
    }),
  };
}

function headersOf(
  { name, argsJson, kwargsJson, options }: NewTask,
  context: TaskMessageContext,
): TaskMessage['headers'] {
  const protocol: Record<string, unknown> = {
    lang: 'py',
    task: name,
    id: context.id,
    shadow: null,
    eta: isoTime(options.etaMs, 'eta'),
    expires: isoTime(options.expiresMs, 'expires'),
    group: null,
    group_index: null,
    retries: 0,
    timelimit: options.timeLimit ?? [null, null],
    root_id: context.id,
    parent_id: null,
    argsrepr: options.argsrepr ?? jsonRepr(argsJson),
    kwargsrepr: options.kwargsrepr ?? jsonRepr(kwargsJson),
    origin: context.origin,
    ignore_result: false,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  };
  return { ...protocol, ...ownHeaders(options, protocol) };
}

function ownHeaders({ headers = {} }: TaskOptions, protocol: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(headers).filter(
    ([name]) => name !== 'compression' && (REPLACEABLE.has(name) || !Object.hasOwn(protocol, name)),
  );
  return Object.fromEntries(kept);
}

/** As Python's `isoformat()` of an aware datetime in UTC. */
function isoTime(epochMs: number | undefined, field: string): string | null {
  if (epochMs === undefined) return null;
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 1) {
    throw new ControlRefused('bad-argument', `${field} is no instant that Python knows: name one before 9999`, field);
  }
  return date.toISOString().replace('Z', '000+00:00');
}

function requirePriority(priority: number | undefined): void {
  if (priority === undefined || (Number.isInteger(priority) && priority >= 0 && priority <= 255)) return;
  throw new ControlRefused('bad-argument', `priority is ${priority}: use a whole number from 0 to 255`, 'priority');
}

function requireJson(json: string, field: string, isRight: (value: unknown) => boolean, example: string): void {
  let value: unknown;
  try {
    value = parsePythonJson(json);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ControlRefused('bad-argument', `${field} is no JSON (${detail}): write ${example}`, field);
  }
  if (!isRight(value)) throw new ControlRefused('bad-argument', `${field} must be ${example}`, field);
}

/** Where a message is put on Redis. */
export interface RedisPlace {
  readonly queue: string;
  /** Fresh for each message: workers know an unacknowledged one by it. */
  readonly deliveryTag: string;
}

/**
 * The message as kombu puts it into a Redis list (kombu/transport/virtual/base.py). Sent to the default exchange with
 * the queue as the routing key, so no binding is needed. Leave nothing out: without `content-type` workers crash, and
 * without `delivery_tag`, `delivery_info` or `body_encoding` they lose the task.
 */
export function taskEnvelope(message: TaskMessage, { queue, deliveryTag }: RedisPlace): string {
  return JSON.stringify({
    body: message.body.toString('base64'),
    'content-encoding': message.contentEncoding,
    'content-type': message.contentType,
    headers: message.headers,
    properties: {
      correlation_id: message.id,
      reply_to: '',
      delivery_mode: message.deliveryMode ?? 2,
      delivery_info: { exchange: '', routing_key: queue },
      priority: message.priority ?? 0,
      body_encoding: 'base64',
      delivery_tag: deliveryTag,
      ...(message.expirationMs !== undefined && { expiration: String(message.expirationMs) }),
    },
  });
}
