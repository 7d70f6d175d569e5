import { hostname } from 'node:os';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import { testPython } from './environment.ts';
import { CELERY_APP, pythonEnvironment, startPython } from './python.ts';
import { within } from './wait.ts';

/** What the test app (test/celery-app/app.py) is connected to. */
export interface AppPlace {
  readonly brokerUrl: string;
  /** Result backend, default the broker. */
  readonly backend?: string;
  /** Celery's `event_exchange`, default `celeryev`. */
  readonly eventExchange?: string;
}

export interface CeleryOptions extends AppPlace {
  /** Part of the node name before the `@`, or the whole. */
  readonly name: string;
  readonly queues?: readonly string[];
  readonly pool?: 'prefork' | 'solo' | 'threads';
  readonly concurrency?: number;
  /** `-E`, default true. */
  readonly events?: boolean;
  /** Further arguments of `celery worker`, settings last: `--autoscale=3,1`, `worker_pool_restarts=true`. */
  readonly more?: readonly string[];
}

export interface CeleryWorker extends ManagedProcess {
  /** `name@host`, as in every event. */
  readonly nodeName: string;
}

/** Environment that tells the test app its place. */
export function appEnvironment({ brokerUrl, backend = brokerUrl, eventExchange }: AppPlace): Record<string, string> {
  return {
    UMBEL_APP_BROKER: brokerUrl,
    UMBEL_APP_BACKEND: backend,
    ...(eventExchange !== undefined && { UMBEL_APP_EVENT_EXCHANGE: eventExchange }),
  };
}

/** A real Celery worker of the test app, ready to take tasks. `stop()` is a warm shutdown, `kill('SIGKILL')` a crash. */
export async function startCelery(options: CeleryOptions): Promise<CeleryWorker> {
  const { name, queues = ['celery'], pool = 'prefork', concurrency = 2, events = true, more = [] } = options;
  const nodeName = name.includes('@') ? name : `${name}@${hostname()}`;
  const args = ['-m', 'celery', '-A', 'app', 'worker', '-n', nodeName, '-Q', queues.join(','), '-P', pool];
  const worker = startProcess({
    name: `worker ${nodeName}`,
    command: testPython(),
    args: [...args, '-c', String(concurrency), '-l', 'INFO', ...(events ? ['-E'] : []), ...more],
    env: pythonEnvironment(appEnvironment(options)),
    cwd: CELERY_APP,
    deathSignal: 'QUIT', // cold shutdown: a killed main process would leave its pool behind for a moment
  });
  await worker.printed(/@\S+ ready\./, 180_000);
  return Object.assign(worker, { nodeName });
}

/** What `python -m load` prints at its end. */
export interface LoadReport {
  readonly load: string;
  /** Ids of the tasks whose end was waited for, with the state the load expects. */
  readonly expected: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** Runs a named load of the test app (test/celery-app/load.py) until all its tasks are done. */
export async function runLoad(name: string, place: AppPlace, args: readonly string[] = []): Promise<LoadReport> {
  const load = startPython(['-m', 'load', name, ...args], appEnvironment(place));
  const { code } = await within(load.exited, 300_000, `the load ${name}`).finally(() => {
    if (load.running()) void load.kill('SIGKILL');
  });
  if (code !== 0) throw new Error(`the load ${name} failed (${code ?? 'signal'}):\n${load.output()}`);
  const last = load.stdout().trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(last) as LoadReport;
}

/** Sends tasks as an app does; `[task, arguments, queue]`. Resolves to their ids. */
export async function sendAsApp(
  place: AppPlace,
  ...calls: readonly (readonly [string, readonly unknown[], string])[]
): Promise<string[]> {
  const code = calls.map(
    ([name, args, queue]) => `print(app.app.send_task('${name}', ${JSON.stringify(args)}, queue='${queue}').id)`,
  );
  const python = startPython(['-c', `import app; ${code.join('; ')}`], appEnvironment(place));
  const { code: status } = await within(python.exited, 60_000, 'sending tasks');
  if (status !== 0) throw new Error(python.output());
  return python.stdout().trim().split('\n');
}
