/**
 * What workers answer, which is anything they like: read with care. Shapes of celery/worker/control.py and
 * celery/worker/request.py.
 */

export interface HeldTask {
  readonly id: string;
  readonly name: string;
  /** Python repr or JSON, as told */
  readonly args: string;
  readonly kwargs: string;
  /** When it was started, epoch ms */
  readonly startedMs?: number;
  /** ISO 8601, of scheduled ones */
  readonly eta?: string;
}

/** Of `active`, `reserved` and `scheduled`; scheduled ones stand in an envelope with their ETA. */
export function readTasks(reply: unknown): HeldTask[] {
  return items(reply).flatMap((item) => {
    const { request, eta } = record(item);
    const task = request === undefined ? record(item) : record(request);
    const { id, name, type, time_start: started } = task;
    if (typeof id !== 'string') {
      return [];
    }
    return [
      {
        id,
        name: text(name) ?? text(type) ?? id,
        args: display(task['args']),
        kwargs: display(task['kwargs']),
        ...(typeof started === 'number' && { startedMs: started * 1000 }),
        ...(typeof eta === 'string' && { eta }),
      },
    ];
  });
}

export interface RegisteredTask {
  readonly name: string;
  /** `10/m`; undefined: none, as far as told */
  readonly rateLimit?: string;
}

/** Of `registered`: names, with what is special about them in brackets: `app.mail [rate_limit=10/m]`. */
export function readRegistered(reply: unknown): RegisteredTask[] {
  return items(reply).flatMap((item) => {
    const match = typeof item === 'string' ? /^(\S+)(?: \[(.*)\])?$/.exec(item) : null;
    const name = match?.[1];
    const rateLimit = /(?:^|\s)rate_limit=(\S+)/.exec(match?.[2] ?? '')?.[1];
    return name === undefined ? [] : [{ name, ...(rateLimit !== undefined && { rateLimit }) }];
  });
}

export interface ConsumedQueue {
  readonly name: string;
  readonly exchange?: string;
  readonly exchangeType?: string;
  readonly routingKey?: string;
}

/** Of `active_queues`. */
export function readQueues(reply: unknown): ConsumedQueue[] {
  return items(reply).flatMap((item) => {
    const { name, exchange, routing_key: routingKey } = record(item);
    const { name: exchangeName, type } = record(exchange);
    return typeof name !== 'string'
      ? []
      : [{ name, exchange: text(exchangeName), exchangeType: text(type), routingKey: text(routingKey) }];
  });
}

export interface Fact {
  /** Path, e.g. `pool.max-concurrency` */
  readonly name: string;
  readonly value: string;
}

/** An answer as flat lines, in its order: `stats` and `conf`. Lists of plain values stay on one line. */
export function readFacts(reply: unknown, prefix = ''): Fact[] {
  return Object.entries(record(reply)).flatMap(([key, value]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    const isMany =
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    return isMany ? readFacts(value, name) : [{ name, value: display(value) }];
  });
}

/** Tasks done by name, of `stats`, most first. */
export function readTotals(reply: unknown): Array<{ readonly name: string; readonly count: number }> {
  return Object.entries(record(record(reply)['total']))
    .flatMap(([name, count]) => (typeof count === 'number' ? [{ name, count }] : []))
    .sort((a, b) => b.count - a.count);
}

/** Of `report`: `{"ok": "software -> celery:…"}` */
export function readReport(reply: unknown): string {
  return text(record(reply)['ok']) ?? display(reply);
}

function items(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function display(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}
