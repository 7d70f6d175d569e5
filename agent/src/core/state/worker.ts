import type { CeleryEvent } from '../events/event.ts';

/** `Worker.heartbeat_max` (celery/events/state.py). */
const HEARTBEATS_MAX = 4;
/** `HEARTBEAT_EXPIRE_WINDOW` of 200 % (celery/events/state.py). */
const EXPIRE_FACTOR = 2;
/** Seconds; what Celery's state takes for a worker that never told its own. */
const DEFAULT_FREQ = 60;
/** The agent takes a worker for offline after so many heartbeats that did not come. */
const MISSED_HEARTBEATS = 3;

/** But not before this, ms. */
const MIN_OFFLINE_AFTER_MS = 15_000;

/** A worker as `celery.events.state.Worker` (celery/events/state.py) holds it. Values stay what the event carried. */
export class WorkerState {
  readonly hostname: string;
  pid: unknown = null;
  freq: unknown = DEFAULT_FREQ;
  /** Epoch seconds of the last heartbeats, oldest first, at most 4 (Celery's `HEARTBEATS_MAX`). */
  heartbeats: number[] = [];
  clock = 0;
  active: unknown = null;
  processed: unknown = null;
  loadavg: unknown = null;
  sw_ident: unknown = null;
  sw_ver: unknown = null;
  sw_sys: unknown = null;
  /** The agent's own judgement, by receive time (celery-wire 3.6). */
  online = false;
  /** This agent heard it; false: it is known from the history alone. */
  isHeard = false;
  /** Seconds between heartbeats as the worker told them; undefined where it did not: `freq` is a guess then. */
  toldFreq: number | undefined;
  lastSeenMs = 0;
  /** Of its last event, by its own clock, epoch seconds: the same in every replica of the agent. */
  lastTimestamp = 0;
  firstSeenMs = 0;
  /** When its present process was first heard of, by its own clock, epoch ms; 0: before the agent's time. */
  startedMs = 0;

  constructor(hostname: string) {
    this.hostname = hostname;
  }
}

/**
 * Merges one event of this sender by the rules of `Worker.event` (celery/events/state.py). A worker event brings its
 * fields (absent ones stay: a requested heartbeat has no `active`) and its receive time as a heartbeat; a task event
 * only its own timestamp as a heartbeat. Does not touch `online`, which is `judgeOnline`'s.
 */
export function mergeWorkerEvent(worker: WorkerState, event: CeleryEvent): void {
  const receivedSeconds = event.receivedMs / 1000;
  if (event.group === 'worker') {
    mergeFields(worker, event);
    if (event.subject === 'offline') worker.heartbeats = [];
    else if (receivedSeconds !== 0 && event.timestamp !== 0) addHeartbeat(worker.heartbeats, receivedSeconds);
  } else if (receivedSeconds !== 0 && event.timestamp !== 0) {
    // Celery hands the two times over in the other order here.
    addHeartbeat(worker.heartbeats, event.timestamp);
  }
}

function mergeFields(worker: WorkerState, { fields, clock }: CeleryEvent): void {
  const { pid, freq, active, processed, loadavg, sw_ident, sw_ver, sw_sys } = fields;
  worker.clock = clock;
  if (pid !== undefined) worker.pid = pid;
  if (freq !== undefined) worker.freq = freq;
  if (isFreq(freq)) worker.toldFreq = freq;
  if (active !== undefined) worker.active = active;
  if (processed !== undefined) worker.processed = processed;
  if (loadavg !== undefined) worker.loadavg = loadavg;
  if (sw_ident !== undefined) worker.sw_ident = sw_ident;
  if (sw_ver !== undefined) worker.sw_ver = sw_ver;
  if (sw_sys !== undefined) worker.sw_sys = sw_sys;
}

/** Makes room before it looks where the new one belongs, so a late heartbeat may push out a younger one: as in Celery. */
function addHeartbeat(heartbeats: number[], at: number): void {
  if (heartbeats.length >= HEARTBEATS_MAX) heartbeats.shift();
  let index = heartbeats.length;
  while (index > 0 && (heartbeats[index - 1] ?? 0) > at) index--;
  if (index === heartbeats.length) heartbeats.push(at);
  else heartbeats.splice(index, 0, at);
}

/** `Worker.alive` (celery/events/state.py) at `nowSeconds`: what Flower shows. 4 s by default; for Flower's API. */
export function isAliveForCelery(worker: WorkerState, nowSeconds: number): boolean {
  const last = worker.heartbeats.at(-1);
  return last !== undefined && nowSeconds < last + (isFreq(worker.freq) ? worker.freq : DEFAULT_FREQ) * EXPIRE_FACTOR;
}

/**
 * Milliseconds of silence after which the agent takes the worker for offline. One that told no interval, since it was
 * killed before its first heartbeat was heard, has that of a worker's default options: Celery's guess of a minute would
 * leave it online, and its tasks unlooked for, for three.
 */
export function offlineAfterMs({ toldFreq }: Pick<WorkerState, 'toldFreq'>): number {
  return Math.max((toldFreq ?? 0) * 1000 * MISSED_HEARTBEATS, MIN_OFFLINE_AFTER_MS);
}

/**
 * The agent's judgement after an event: online, unless the event says otherwise or lay so long in a buffer that it
 * proves nothing any more.
 */
export function judgeOnline(worker: WorkerState, event: CeleryEvent, nowMs: number): void {
  worker.isHeard = true;
  if (worker.firstSeenMs === 0) worker.firstSeenMs = event.receivedMs;
  if (event.receivedMs > worker.lastSeenMs) worker.lastSeenMs = event.receivedMs;
  if (event.timestamp > worker.lastTimestamp) worker.lastTimestamp = event.timestamp;
  if (event.group === 'worker' && event.subject === 'offline') worker.online = false;
  else if (nowMs - event.receivedMs <= offlineAfterMs(worker)) worker.online = true;
}

/** True once the worker has been silent for too long at `nowMs`; silence while nobody listened is none. */
export function isSilent(worker: WorkerState, nowMs: number, listeningSinceMs: number): boolean {
  return nowMs - Math.max(worker.lastSeenMs, listeningSinceMs) > offlineAfterMs(worker);
}

/** Whether it can be an interval, in seconds. */
function isFreq(freq: unknown): freq is number {
  return typeof freq === 'number' && freq > 0;
}
