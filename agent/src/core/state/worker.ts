/** A worker as `celery.events.state.Worker` (celery/events/state.py) holds it. Values stay what the event carried. */
export class WorkerState {
  readonly hostname: string;
  pid: unknown = null;
  freq: unknown = 60;
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
  lastSeenMs = 0;
  firstSeenMs = 0;

  constructor(hostname: string) {
    this.hostname = hostname;
  }
}
