import type { ControlRequest, Target, WorkerAnswer } from '../control/command.ts';
import { isRecord, openMessage } from './envelope.ts';
import type { MessageProperties, RawMessage } from './message.ts';
import { pickledFirstKey } from './pickled-key.ts';
import { MAX_NESTING, TOO_DEEP } from './survey.ts';

/** Where replies go and how they are known again; absent: a cast. */
export interface ReplyAddress {
  /** Of this one command; every reply carries it in its headers. */
  readonly ticket: string;
  /** Routing key in the reply exchange, the `oid` of kombu. */
  readonly routingKey: string;
}

export interface ControlNames {
  /** Fanout exchange of requests. */
  readonly requestExchange: string;
  /** Direct exchange of replies. */
  readonly replyExchange: string;
}

/** A request as bytes and AMQP properties; on Redis `controlEnvelope` wraps both. */
export interface EncodedControl {
  readonly body: Buffer;
  readonly contentType: 'application/json';
  readonly contentEncoding: 'utf-8';
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Names that kombu derives from Celery's setting `control_exchange` (kombu/pidbox.py `Mailbox`). */
export function controlNames(controlExchange: string): ControlNames {
  return { requestExchange: `${controlExchange}.pidbox`, replyExchange: `reply.${controlExchange}.pidbox` };
}

/** Name of the queue, on Redis of the list, in which the replies for `oid` gather. */
export function replyQueue(oid: string, names: ControlNames): string {
  return `${oid}.${names.replyExchange}`;
}

/**
 * A request as kombu writes it (kombu/pidbox.py `Mailbox._publish`). An empty list of workers and an empty pattern
 * would reach every worker.
 * @throws RangeError for either of them
 */
export function encodeControl(request: ControlRequest, names: ControlNames, reply?: ReplyAddress): EncodedControl {
  const message = {
    method: request.method,
    arguments: request.arguments,
    ...addressing(request.target),
    ...(reply !== undefined && {
      ticket: reply.ticket,
      reply_to: { exchange: names.replyExchange, routing_key: reply.routingKey },
    }),
  };
  return {
    body: Buffer.from(JSON.stringify(message)),
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    // Workers merge the clock with theirs, and pass over `expires`.
    headers: { clock: 1, expires: 0 },
  };
}

function addressing(target: Target): Record<string, unknown> {
  switch (target.kind) {
    case 'all':
      return { destination: null, pattern: null, matcher: null };
    case 'workers':
      if (target.workers.length === 0) throw new RangeError('an empty list of workers reaches all of them');
      return { destination: target.workers, pattern: null, matcher: null };
    case 'pattern':
      if (target.pattern === '') throw new RangeError('an empty pattern reaches all workers');
      return { destination: null, pattern: target.pattern, matcher: target.matcher };
  }
}

/** The request as Redis carries it; what is missing in it makes every worker drop its connection. */
export function controlEnvelope(control: EncodedControl, names: ControlNames, deliveryTag: string): string {
  return JSON.stringify({
    body: control.body.toString('base64'),
    'content-encoding': control.contentEncoding,
    'content-type': control.contentType,
    headers: control.headers,
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: names.requestExchange, routing_key: '' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: deliveryTag,
    },
  });
}

/**
 * The answers in a reply; undefined where it belongs to another command. Matched by the ticket in the headers: the body
 * holds none. A reply that cannot be read is an answer that says why. Never throws.
 */
export function decodeReply(raw: RawMessage, ticket: string): readonly WorkerAnswer[] | undefined {
  const properties = raw.properties ?? propertiesOf(raw.payload);
  if (properties?.headers?.['ticket'] !== ticket) return undefined;
  const opened = openMessage(raw);
  if ('reject' in opened) {
    const { reason, detail } = opened.reject;
    return [reason === 'pickle' ? pickled(raw) : unreadable(detail)];
  }
  if ((opened.found & TOO_DEEP) !== 0) return [unreadable(`it is nested deeper than ${MAX_NESTING}`)];
  if (!isRecord(opened.body)) return [unreadable('it is not an object')];
  return Object.entries(opened.body).map(([worker, reply]) => answerOf(worker, reply));
}

/** Name under which an answer stands whose reply does not tell the worker. */
export const UNKNOWN_WORKER = '(unknown)';

function answerOf(worker: string, reply: unknown): WorkerAnswer {
  if (!isRecord(reply) || !Object.hasOwn(reply, 'error') || Object.keys(reply).length !== 1) {
    return { worker, ok: true, reply };
  }
  const { error } = reply;
  return { worker, ok: false, error: typeof error === 'string' ? error : JSON.stringify(error) };
}

function unreadable(detail: string): WorkerAnswer {
  return { worker: UNKNOWN_WORKER, ok: false, error: `the reply of a worker cannot be read: ${detail}` };
}

/** Workers write replies with their task serializer (celery/app/control.py `Control.__init__`). */
function pickled(raw: RawMessage): WorkerAnswer {
  return {
    worker: pickledFirstKey(bodyOf(raw)) ?? UNKNOWN_WORKER,
    ok: false,
    error:
      'the reply is pickled, and unpickling would run code: the command may have been obeyed, ' +
      "but to read the answers set task_serializer to 'json' in the Celery app of this worker",
  };
}

function propertiesOf(payload: Buffer): MessageProperties | undefined {
  const envelope = parsed(payload);
  const headers = envelope?.['headers'];
  return isRecord(headers) ? { headers } : undefined;
}

function bodyOf({ payload, properties }: RawMessage): Buffer {
  if (properties !== undefined) return payload;
  const body = parsed(payload)?.['body'];
  return typeof body === 'string' ? Buffer.from(body, 'base64') : Buffer.alloc(0);
}

function parsed(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const envelope: unknown = JSON.parse(payload.toString());
    return isRecord(envelope) ? envelope : undefined;
  } catch {
    return undefined;
  }
}
