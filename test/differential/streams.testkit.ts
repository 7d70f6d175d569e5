import type { StreamEvent } from './compare.testkit.ts';

/** A seeded source of chance (mulberry32): a failing stream can be made again from its number. */
export class Chance {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** 0 ≤ x < 1. */
  next(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  yes(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}

/** A JSON text as it stands: what `JSON.stringify` cannot write. */
class Literal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Fields = Record<string, unknown>;

const BASE = 1_795_400_000;
const HOSTS = ['celery@a', 'celery@b', 'w1@ünï'] as const;
const TASKS = ['t-1', 't-2', 't-3'] as const;
const LIVES = [
  'received started succeeded',
  'sent received started succeeded',
  'received sent started failed',
  'sent received started retried received started succeeded',
  'received started received retried started retried started failed',
  'sent received revoked',
  'received started rejected received started succeeded',
  'received started failed failed rejected',
  'received revoked started succeeded',
  'sent received started progress step-two succeeded progress',
  'failed',
  'sent rejected',
  'received started revoked succeeded revoked',
] as const;
/** Custom subjects, also such as give a known state by their capitals. */
const SUBJECTS = [
  'progress',
  'my-step',
  'retry',
  'success',
  'pending',
  'received-late',
  'PENDING',
  'x',
  '',
  'straße',
] as const;
const WRONG = [
  null, true, false, 0, -1, 1.5, 7, '', 'text', '12', '1795400000.5', 'SUCCESS', 'RETRY', [], [1, 2], ['a'], {}, { a: 1 },
  new Literal('NaN'), new Literal('Infinity'), new Literal('-Infinity'), new Literal('12345678901234567890123'),
  new Literal('-9007199254740993'), '\u0000', '\ud800',
  { __type__: 'decimal', __value__: '1.5' },
] as const; // prettier-ignore
/** Members of Celery's Task that a custom event's body may name, and names that break Celery's own objects. */
const TASK_KEYS = [
  'state', 'sent', 'received', 'started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected', 'worker', 'client',
  'name', 'args', 'kwargs', 'eta', 'expires', 'retries', 'result', 'exception', 'runtime', 'traceback', 'exchange',
  'routing_key', 'root_id', 'parent_id', 'pid', 'clock', 'queue', 'custom', 'id', 'info', 'children', 'event', 'ready',
  'uuid', 'hostname', 'timestamp', 'type', '__proto__', 'constructor', 'odd',
] as const; // prettier-ignore
/** Not `heartbeats`: Celery then shows the body's list and goes on filling another one; ours keeps the real one. */
const WORKER_KEYS = [
  'pid', 'freq', 'active', 'processed', 'loadavg', 'sw_ident', 'sw_ver', 'sw_sys', 'clock', 'custom', 'id', 'alive',
  'event', 'hostname', 'timestamp', 'online', '__proto__',
] as const; // prettier-ignore

/** Stream number `seed`: the lives of some tasks and workers, disordered and spoiled in a way of its own. */
export function makeStream(seed: number): StreamEvent[] {
  const chance = new Chance(seed);
  const clock = { value: 0, time: BASE + chance.below(1000) };
  let events = interleave(chance, lives(chance)).map((event) => stamp(chance, clock, event));
  if (chance.yes(0.4)) events = events.filter(() => chance.yes(0.8));
  if (chance.yes(0.4)) events = shuffle(chance, events);
  else if (chance.yes(0.5)) swapNeighbours(chance, events);
  if (chance.yes(0.2)) for (const event of events) if ('clock' in event) event['clock'] = 5;
  if (chance.yes(0.2)) for (const event of events) event['timestamp'] = BASE + 0.25;
  if (chance.yes(0.6)) spoil(chance, events, chance.pick([0.05, 0.2, 0.5]));
  return events.map((event) => ({ body: toPythonJson(event), receivedMs: receivedMs(chance, event) }));
}

function lives(chance: Chance): Fields[][] {
  const tasks = TASKS.slice(0, 1 + chance.below(3)).map((uuid) => taskLife(chance, uuid));
  const workers = HOSTS.slice(0, chance.below(4)).map((hostname) => workerLife(chance, hostname));
  return [...tasks, ...workers];
}

function taskLife(chance: Chance, uuid: string): Fields[] {
  let host: string = chance.pick(HOSTS);
  let retries = 0;
  return chance.pick(LIVES).split(' ').map((planned) => {
    const subject = chance.yes(0.05) ? chance.pick(SUBJECTS) : planned;
    if (chance.yes(0.05)) host = chance.pick(HOSTS);
    if (subject === 'retried') retries++;
    return { hostname: subject === 'sent' ? 'gen7@client' : host, pid: 100 + chance.below(3), utcoffset: 0, uuid,
      ...taskFields(chance, subject, uuid, retries), type: `task-${subject}` };
  }); // prettier-ignore
}

function taskFields(chance: Chance, subject: string, uuid: string, retries: number): Fields {
  const call = { name: chance.pick(['app.add', 'app.mul']), args: `(${retries}, 2)`, kwargs: '{}', retries, eta: null,
    expires: chance.yes(0.2) ? '2026-11-23T00:00:00' : null, root_id: 't-1', parent_id: chance.yes(0.5) ? null : uuid }; // prettier-ignore
  switch (subject) {
    case 'sent':
      return { ...call, args: '(sent)', queue: 'q', exchange: 'x', routing_key: 'k' };
    case 'received':
      return chance.yes(0.1) ? { ...call, args: null, kwargs: null } : call;
    case 'succeeded':
      return { result: `'${retries}'`, runtime: chance.next() };
    case 'failed':
    case 'retried':
      return { exception: `ValueError(${retries})`, traceback: 'Traceback …' };
    case 'revoked':
      return { terminated: true, signum: 15, expired: false };
    case 'started':
    case 'rejected':
      return subject === 'rejected' ? { requeue: true } : {};
    default:
      return { percent: chance.below(100), nested: { deep: [1, { a: null }] } };
  }
}

function workerLife(chance: Chance, hostname: string): Fields[] {
  const pid = 10 + chance.below(2);
  const subjects = ['online', ...Array.from({ length: chance.below(8) }, () => 'heartbeat')];
  if (chance.yes(0.5)) subjects.push('offline');
  if (chance.yes(0.3)) subjects.push(chance.pick(['heartbeat', 'custom', '', 'online']));
  return subjects.map((subject) => {
    const asked = chance.yes(0.2);
    const load = { active: chance.below(9), processed: chance.below(99), loadavg: [0.5, 1, 1.25] };
    return { hostname, pid, utcoffset: -1, freq: asked ? 5 : 2, sw_ident: 'py-celery', sw_ver: '5.7.0', sw_sys: 'Linux',
      ...(asked ? {} : load), type: `worker-${subject}` };
  }); // prettier-ignore
}

function stamp(chance: Chance, clock: { value: number; time: number }, event: Fields): Fields {
  clock.value += chance.below(3);
  clock.time += chance.pick([0, 0.001, 0.7312341, 2.0000002, 30]);
  return { ...event, ...(chance.yes(0.03) ? {} : { clock: clock.value }), timestamp: clock.time };
}

function interleave(chance: Chance, sources: Fields[][]): Fields[] {
  const all: Fields[] = [];
  for (let left = sources.filter((s) => s.length > 0); left.length > 0; left = left.filter((s) => s.length > 0)) {
    const event = left[chance.below(left.length)]?.shift();
    if (event !== undefined) all.push(event);
  }
  return all;
}

function shuffle(chance: Chance, events: Fields[]): Fields[] {
  const keyed = events.map((event) => ({ event, at: chance.next() }));
  return keyed.sort((a, b) => a.at - b.at).map(({ event }) => event);
}

function swapNeighbours(chance: Chance, events: Fields[]): void {
  for (let i = 1; i < events.length; i++) {
    const [a, b] = [events[i - 1], events[i]];
    if (a !== undefined && b !== undefined && chance.yes(0.3)) [events[i - 1], events[i]] = [b, a];
  }
}

/** Takes fields away, gives them another type, or adds ones under the names that Celery's objects use. */
function spoil(chance: Chance, events: Fields[], probability: number): void {
  for (const event of events) {
    if (!chance.yes(probability)) continue;
    const keys = Object.keys(event) as [string, ...string[]];
    const worker = String(event['type']).startsWith('worker');
    const key = chance.yes(0.5) ? chance.pick(keys) : chance.pick(worker ? WORKER_KEYS : TASK_KEYS);
    // Without its head an event is refused by both sides; that has its own tests.
    const head = ['type', 'uuid', 'hostname', 'timestamp'].includes(key);
    if (head && chance.yes(0.9)) continue;
    if (chance.yes(0.15)) Reflect.deleteProperty(event, key);
    else
      Object.defineProperty(event, key, {
        value: chance.pick(WRONG),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
}

function receivedMs(chance: Chance, { timestamp }: Fields): number {
  const seconds = typeof timestamp === 'number' ? timestamp : BASE;
  return seconds * 1000 + chance.pick([0, 0, 3, 17.25, -40_000, 90_000]);
}

function toPythonJson(value: unknown): string {
  if (value instanceof Literal) return value.text;
  if (Array.isArray(value)) return `[${value.map(toPythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${toPythonJson(item)}`)
    .join(', ')}}`;
}
