import { join } from 'node:path';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import type { CeleryEvent } from '../../agent/src/core/events/event.ts';
import { ClusterState } from '../../agent/src/core/state/cluster.ts';
import { isReady } from '../../agent/src/core/state/states.ts';
import type { TaskState } from '../../agent/src/core/state/task.ts';
import type { WorkerState } from '../../agent/src/core/state/worker.ts';
import { isAliveForCelery } from '../../agent/src/core/state/worker.ts';
import { parsePythonJson } from '../../agent/src/core/wire/json.ts';
import { ROOT } from '../support/paths.ts';
import { runPython } from '../support/python.ts';

/** One event as JSON text in Python's dialect, and when it was received, epoch ms. */
export interface StreamEvent {
  readonly body: string;
  readonly receivedMs: number;
}

export type Row = Readonly<Record<string, unknown>>;

/** What Celery made of a stream. */
export interface CeleryAnswer {
  readonly refused: readonly number[];
  readonly tasks: readonly Row[];
  readonly workers: readonly Row[];
}

const TASK_MEMBERS = (
  'uuid name state received sent started rejected succeeded failed retried revoked args kwargs eta expires retries ' +
  'worker result exception timestamp runtime traceback exchange routing_key clock client root_id parent_id pid'
).split(' ');
const WORKER_MEMBERS = 'hostname pid freq heartbeats clock active processed loadavg sw_ident sw_ver sw_sys'.split(' ');

/** Limits that no stream of these tests reaches: eviction is not Celery's. */
export const ROOMY = { openTasks: 1e5, finishedTasks: 1e5, workers: 1e4, recentEvents: 1e4 };

/** Runs one Python over all streams. */
export async function askCelery(streams: readonly (readonly StreamEvent[])[]): Promise<CeleryAnswer[]> {
  const input = streams
    .map((events) => {
      const sent = events.map(({ body, receivedMs }) => ({ body, received: receivedMs / 1000 }));
      return `${JSON.stringify({ events: sent })}\n`;
    })
    .join('');
  const output = await runPython(join(ROOT, 'test', 'differential', 'celery_state.py'), input);
  const answers = output
    .trimEnd()
    .split('\n')
    .map((line) => parsePythonJson(line) as CeleryAnswer);
  if (answers.length !== streams.length) throw new Error(`${streams.length} streams, ${answers.length} answers`);
  return answers;
}

/** The event in the text, through the agent's own decoder; undefined when that refuses it. */
export function decodeBody({ body, receivedMs }: StreamEvent): CeleryEvent | undefined {
  const properties = { contentType: 'application/json' };
  return decodeMessage({ receivedMs, routingKey: '', payload: Buffer.from(body), properties }).events[0];
}

/** What tells distinct events apart, spelled out: the hash must give the same answer. */
export function distinctKey({ hostname, type, uuid, clock, timestamp }: CeleryEvent): string {
  return JSON.stringify([hostname, type, uuid, clock, timestamp]);
}

/** Feeds the events to a model of ours and returns its rows, sorted and in Celery's shape. */
export function ourRows(events: readonly CeleryEvent[]): { tasks: Row[]; workers: Row[] } {
  const cluster = new ClusterState(ROOMY);
  const uuids = new Set<string>();
  for (const event of events) {
    cluster.apply(event, event.receivedMs);
    if (event.group === 'task') uuids.add(event.uuid);
  }
  const tasks = [...uuids].map((uuid) => cluster.task(uuid)).filter((task) => task !== undefined);
  return {
    tasks: sorted(tasks.map(taskRow), 'uuid'),
    workers: sorted(cluster.workers().map(workerRow), 'hostname'),
  };
}

/** Celery's rows in the same form. A clock that is no integer is 0 in our workers. */
export function celeryRows({ tasks, workers }: CeleryAnswer): { tasks: Row[]; workers: Row[] } {
  return {
    tasks: sorted(
      tasks.map((row) => pick(row, TASK_MEMBERS, { ready: row['ready'] })),
      'uuid',
    ),
    workers: sorted(
      workers.map((row) => pick(row, WORKER_MEMBERS, { clock: Number.isSafeInteger(row['clock']) ? row['clock'] : 0 })),
      'hostname',
    ),
  };
}

function taskRow(task: TaskState): Row {
  const members = Object.assign({}, task, task.odd) as unknown as Row;
  return pick(members, TASK_MEMBERS, { ready: typeof members['state'] === 'string' && isReady(members['state']) });
}

function workerRow(worker: WorkerState): Row {
  return pick(worker as unknown as Row, WORKER_MEMBERS, {});
}

function pick(row: Row, members: readonly string[], more: Row): Row {
  return { ...Object.fromEntries(members.map((member) => [member, row[member]])), ...more };
}

function sorted(rows: Row[], key: string): Row[] {
  return rows.sort((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1));
}

/** For every worker that Celery takes for alive until some instant, ours must be so until the same instant. */
export function aliveMismatches(workers: readonly Row[], events: readonly CeleryEvent[]): string[] {
  const cluster = new ClusterState(ROOMY);
  for (const event of events) cluster.apply(event, event.receivedMs);
  return workers.flatMap((row) => {
    const until = row['alive_until'];
    const worker = cluster.worker(String(row['hostname']));
    if (typeof until !== 'number' || worker === undefined) return [];
    const before = until - Math.max(1e-3, Math.abs(until) * 1e-12);
    return isAliveForCelery(worker, before) && !isAliveForCelery(worker, until) ? [] : [worker.hostname];
  });
}
