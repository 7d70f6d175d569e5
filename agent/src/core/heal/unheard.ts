import { isRecord, openMessage } from '../wire/envelope.ts';
import { asInteger, asText } from '../wire/fields.ts';
import { jsonRepr } from '../wire/json-repr.ts';
import type { RawMessage } from '../wire/message.ts';
import { taskPartsOf } from '../wire/task-parts.ts';
import { PENDING, precedence, RECEIVED, RETRY, STARTED } from '../state/states.ts';
import type { Basis, Healed } from './finding.ts';

/** `inspect` commands whose replies list the tasks that a worker has (celery/worker/control.py). */
export const HOLDING = ['active', 'reserved', 'scheduled'] as const;

/** A task that somebody has, of which the history may know nothing. */
export interface Sight {
  readonly taskId: string;
  readonly state: Healed;
  /** On the default exchange the name of its queue; empty where it is not told. */
  readonly routingKey: string;
}

/**
 * The tasks in a worker's reply: requests (celery/worker/request.py `Request.info`), those that wait for their time with
 * it. What has no id or no name is left out.
 */
export function sightsOfReply(method: (typeof HOLDING)[number], worker: string, reply: unknown): readonly Sight[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry: unknown) => {
    const isScheduled = method === 'scheduled' && isRecord(entry);
    const request: unknown = isScheduled ? entry['request'] : entry;
    if (!isRecord(request)) return [];
    const { id, name, args, kwargs, time_start: startedAt, delivery_info: delivery } = request;
    const eta = isScheduled ? entry['eta'] : undefined;
    const told = { name, args: reprOf(args), kwargs: reprOf(kwargs), eta };
    const isActive = method === 'active';
    const at = isActive && typeof startedAt === 'number' ? startedAt : null;
    const routingKey = isRecord(delivery) ? asText(delivery['routing_key']) : null;
    const head = { source: 'inspect' as const, state: isActive ? STARTED : RECEIVED, at, worker };
    return sightOf(id, routingKey ?? '', head, told) ?? [];
  });
}

/** The task of a message as it lies in the broker, of protocol 2 or 1; undefined where it is none that can be read. */
export function sightOfMessage(raw: RawMessage): Sight | undefined {
  try {
    const { headers } = taskPartsOf(raw);
    // Headers tell all, but where a publisher is not Celery itself.
    const isWhole = typeof headers['argsrepr'] === 'string' && typeof headers['kwargsrepr'] === 'string';
    const body = isWhole ? undefined : bodyOf(raw);
    const [args, kwargs] = Array.isArray(body) ? (body as unknown[]) : [];
    const told = isRecord(body)
      ? { ...body, name: body['task'], args: reprOf(body['args']), kwargs: reprOf(body['kwargs']) }
      : {
          ...headers,
          name: headers['task'],
          args: headers['argsrepr'] ?? reprOf(args),
          kwargs: headers['kwargsrepr'] ?? reprOf(kwargs),
        };
    const id = isRecord(body) ? body['id'] : headers['id'];
    return sightOf(id, raw.routingKey, { source: 'queue', state: PENDING, at: null }, told);
  } catch {
    return undefined;
  }
}

/** What two sights of one task tell together: the stronger state, and the arguments as its publisher wrote them. */
export function together(one: Healed, other: Healed): Healed {
  const [strong, weak] = precedence(one.state) <= precedence(other.state) ? [one, other] : [other, one];
  const { args, kwargs } = [one, other].find(({ source }) => source === 'queue') ?? strong;
  return { ...weak, ...strong, ...(args !== undefined && { args }), ...(kwargs !== undefined && { kwargs }) };
}

/**
 * What was seen of a task of which an event was heard since, but none that tells its name: it only fills in. Undefined
 * where the task may be in another run by now.
 */
export function fillIn({ state }: Pick<Basis, 'state'>, seen: Healed): Healed | undefined {
  if (state === RETRY || precedence(state) >= precedence(RECEIVED)) return undefined;
  return { ...seen, state: RECEIVED, at: null };
}

const TEXTS = ['name', 'args', 'kwargs', 'eta', 'expires', 'root_id', 'parent_id'] as const;

/** Undefined where it cannot be told which task it is. */
function sightOf(
  taskId: unknown,
  routingKey: string,
  head: Pick<Healed, 'source' | 'state' | 'at' | 'worker'>,
  told: Readonly<Record<string, unknown>>,
): Sight | undefined {
  if (typeof taskId !== 'string' || taskId === '' || typeof told['name'] !== 'string') return undefined;
  const texts = TEXTS.flatMap((key): [string, string][] => {
    const text = asText(told[key]);
    return text === null ? [] : [[key, text]];
  });
  const retries = asInteger(told['retries']);
  const known = { ...Object.fromEntries(texts), ...(retries !== null && { retries }) };
  return { taskId, routingKey, state: { kind: 'healed', ...head, ...known } };
}

function bodyOf(raw: RawMessage): unknown {
  const opened = openMessage(raw);
  return 'reject' in opened ? undefined : opened.body;
}

/** For display: as Celery's events tell it. Workers tell the text itself where they were asked for it (`safe`). */
function reprOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : jsonRepr(JSON.stringify(value));
}
