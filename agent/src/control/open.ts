import { COMMANDS } from '../core/control/commands.ts';
import { NO_MASK } from '../core/mask/mask.ts';
import type { ControlService, WorkerInspection } from '../core/control/service.ts';
import type { Clock } from '../lib/clock.ts';
import type { Closable } from '../lib/closer-stack.ts';
import { Bulks } from './bulk.ts';
import { Caller } from './calls.ts';
import type { ControlDeps } from './deps.ts';
import { EventSwitch } from './event-switch.ts';
import { KeptInspections } from './inspector.ts';
import { KnownQueues } from './queues.ts';
import { Results } from './results.ts';
import { Retrier } from './retry.ts';
import { TaskSender } from './sender.ts';

const DEFAULT_TIMEOUT_MS = 1000;
/** How often new workers are looked for, ms. */
const LOOK_EVERY_MS = 1000;

/** How long a pool may take to grow or shrink, ms. */
const SETTLE_MS = 2000;

/** So that whoever reads the workers after the answer sees what it did. */
const changesWorkers = (method: string): boolean =>
  COMMANDS.some((command) => command.method === method && command.kind === 'worker' && command.replies);

/**
 * Remote control, new tasks and results over the broker and the result backend. Begins at once to inspect workers that
 * come online, and to switch their events on; `close()` ends that, and every call under way with what was heard so far.
 */
export function openControl(deps: ControlDeps): ControlService & Closable {
  const { transport, workers, backend, history, clock, logger, masker = NO_MASK, onReplaced = () => undefined } = deps;
  const { inspectTimeoutMs = DEFAULT_TIMEOUT_MS, enableEvents = true, defaultQueue = 'celery' } = deps.options ?? {};
  const { queues: configured = [], origin = 'umbel' } = deps.options ?? {};
  const { sentMs = () => undefined } = deps;
  const { control: channel, tasks } = transport;
  const known = new Map<string, WorkerInspection>();
  const inspections = (): ReadonlyMap<string, WorkerInspection> => known;
  const caller = new Caller({
    channel,
    workers,
    inspected: () => known.keys(),
    clock,
    timeoutMs: inspectTimeoutMs,
    masker,
  });
  const inspector = new KeptInspections({ caller, known, workers, clock, logger });
  const events = new EventSwitch({ transport, workers, enableEvents, clock, logger });
  const queues = new KnownQueues({ tasks, inspections, configured, defaultQueue, sentMs });
  const sender = new TaskSender({ tasks, queues, inspections, history, defaultQueue, origin, clock, logger });
  const results = new Results(backend, clock, masker);
  const found = { tasks, backend, caller, workers, sender, queues, inspections, defaultQueue };
  const retrier = new Retrier({ ...found, masker, onReplaced });
  const bulks = new Bulks({ history, retrier, caller, clock, logger });

  const lookForNew = (): void => {
    if (!transport.health().connected) return;
    inspector.lookForNew().catch((error: unknown) => logger.debug({ err: error }, 'new workers were not inspected'));
  };
  const settling = openSettling(inspector, clock);
  events.start();
  const stopLooking = clock.every(LOOK_EVERY_MS, lookForNew);

  return {
    inspector,
    call: async (request, options) => {
      const result = await caller.call(request, options);
      events.noticed(request, caller.reached(request.target));
      if (changesWorkers(request.method)) {
        const obeyed = result.answers.filter(({ ok }) => ok).map(({ worker }) => worker);
        settling.later(obeyed);
        await inspector.renew(obeyed);
      }
      return result;
    },
    cast: async (request) => {
      const sent = await caller.cast(request);
      events.noticed(request, caller.reached(request.target));
      return sent;
    },
    reached: (target) => caller.reached(target),
    queues: () => queues.depths(),
    send: (task, unnamed) => sender.send(task, unnamed),
    knowsTask: (name) => sender.knowsTask(name),
    result: (taskId) => results.get(taskId),
    waitForResult: (taskId, timeoutMs, signal) => results.wait(taskId, timeoutMs, signal),
    groupsOf: (taskIds) => results.groupsOf(taskIds),
    abort: (taskId) => results.abort(taskId),
    planRetry: (task, edited) => retrier.plan(task, edited),
    retry: (task, edited, options) => retrier.retry(task, edited, options),
    startBulk: (request) => bulks.start(request),
    bulk: (id) => bulks.get(id),
    bulks: () => bulks.all(),
    cancelBulk: (id) => bulks.cancel(id),
    close: async () => {
      stopLooking();
      settling.close();
      events.stop();
      results.close();
      caller.close();
      await bulks.close();
    },
  };
}

/** Workers answer before a pool has grown or shrunk: those named are asked once more, a while after the last of them. */
function openSettling(inspector: Pick<KeptInspections, 'renew'>, clock: Clock) {
  const unsettled = new Set<string>();
  let stop = (): void => undefined;
  return {
    later: (names: readonly string[]): void => {
      for (const name of names) unsettled.add(name);
      stop();
      stop = clock.after(SETTLE_MS, () => {
        void inspector.renew([...unsettled]);
        unsettled.clear();
      });
    },
    close: () => stop(),
  };
}
