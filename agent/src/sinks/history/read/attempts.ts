import type { TaskEventRecord } from '../../../core/query/records.ts';

/** Events of the worker's main process: one clock orders those of one worker. Custom events come from its children. */
const WORKER_EVENTS: ReadonlySet<string> = new Set([
  ...['task-received', 'task-started', 'task-succeeded', 'task-failed', 'task-retried', 'task-revoked'],
  ...['task-rejected', 'task-cancelled'],
]);
const ENDS: ReadonlySet<string> = new Set([
  ...['task-succeeded', 'task-failed', 'task-retried', 'task-revoked', 'task-rejected', 'task-cancelled'],
]);

type Unnumbered = Omit<TaskEventRecord, 'attempt'>;

interface Attempt {
  readonly events: Unnumbered[];
  retries: number | undefined;
  /** Timestamp of the last event after which a task-received means a new delivery. */
  restartableMs: number;
  ended: boolean;
  started: boolean;
}

/**
 * Tells the attempts of a task apart and puts its events in order. A new attempt is a task-received with more
 * `retries`, or one later than the last event that started or ended the attempt before (a redelivery). A worker may
 * receive the next attempt before it reports that this one is retried. Within an attempt: task-sent first, then the
 * worker's events by its clock; everything else by timestamp.
 */
export function numberAttempts(events: readonly Unnumbered[]): TaskEventRecord[] {
  const attempts: Attempt[] = [];
  const byTime = [...events].sort((a, b) => a.timestampMs - b.timestampMs || a.clock - b.clock);
  for (const event of byTime.filter(({ type }) => type !== 'task-sent')) place(attempts, event);
  const sent = byTime.filter(({ type }) => type === 'task-sent');
  for (const event of sent.reverse()) placeSent(attempts, event);
  return attempts.flatMap((attempt, index) =>
    inOrder(attempt.events).map((event) => ({ ...event, attempt: index + 1 })),
  );
}

function place(attempts: Attempt[], event: Unnumbered): void {
  const current = attempts.at(-1);
  if (current === undefined || (event.type === 'task-received' && isNewAttempt(current, event))) {
    attempts.push(newAttempt(event));
    return;
  }
  const before = attempts.at(-2);
  const belongsBefore =
    event.type === 'task-retried' && before !== undefined && before.started && !before.ended && !current.started;
  add(belongsBefore ? before : current, event);
}

function isNewAttempt(current: Attempt, event: Unnumbered): boolean {
  const retries = retriesOf(event);
  if (retries !== undefined && current.retries !== undefined && retries > current.retries) return true;
  return event.timestampMs > current.restartableMs;
}

/** Without a task-received of its own, an attempt that was published is still one: nobody has received it yet. */
function placeSent(attempts: Attempt[], event: Unnumbered): void {
  const retries = retriesOf(event) ?? 0;
  const same =
    attempts.find((attempt) => attempt.retries === retries) ?? attempts.find(({ retries: r }) => r === undefined);
  const last = attempts.at(-1);
  if (same !== undefined) same.events.unshift(event);
  else if (last === undefined || retries > (last.retries ?? 0)) attempts.push(newAttempt(event));
  else attempts[0]?.events.unshift(event);
}

function newAttempt(event: Unnumbered): Attempt {
  const attempt = { events: [], retries: retriesOf(event), restartableMs: Infinity, ended: false, started: false };
  add(attempt, event);
  return attempt;
}

function add(attempt: Attempt, event: Unnumbered): void {
  attempt.events.push(event);
  if (event.type === 'task-received') attempt.retries ??= retriesOf(event);
  if (event.type === 'task-started') attempt.started = true;
  if (ENDS.has(event.type)) attempt.ended = true;
  if (event.type === 'task-started' || ENDS.has(event.type)) attempt.restartableMs = event.timestampMs;
}

function retriesOf({ fields }: Unnumbered): number | undefined {
  const retries = fields['retries'];
  return typeof retries === 'number' ? retries : undefined;
}

/** By time; then each worker's own events, in the places they take, by its clock. */
function inOrder(events: readonly Unnumbered[]): Unnumbered[] {
  const ordered = [...events].sort((a, b) => rank(a) - rank(b) || a.timestampMs - b.timestampMs);
  const places = new Map<string, number[]>();
  ordered.forEach((event, index) => {
    if (!WORKER_EVENTS.has(event.type) || event.clock === 0) return;
    const taken = places.get(event.worker);
    if (taken === undefined) places.set(event.worker, [index]);
    else taken.push(index);
  });
  const result = [...ordered];
  for (const taken of places.values()) {
    const own = taken
      .flatMap((index) => ordered[index] ?? [])
      .sort((a, b) => a.clock - b.clock || a.timestampMs - b.timestampMs);
    own.forEach((event, n) => (result[taken[n] ?? 0] = event));
  }
  return result;
}

function rank({ type }: Unnumbered): number {
  return type === 'task-sent' ? 0 : 1;
}
