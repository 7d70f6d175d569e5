import { type Check, counted, failed, type Finding, listed, ok, skipped, warning } from './check.ts';
import { type Observation, type Outcome, switchedOn } from './observation.ts';

/** Clocks that differ by more than this make times wrong to the eye, and by more than the second one the order of events. */
const SKEW_WARNING_SECONDS = 1;
const SKEW_FAILED_SECONDS = 30;

/** What the checks of the cluster need to know besides what was seen. */
export interface ClusterContext {
  readonly displayUrl: string;
  readonly eventExchange: string;
  /** Option --enable-events. */
  readonly enablesEvents: boolean;
}

/** The checks of broker, events, remote control and clocks; all of them look at one observation. */
export function clusterChecks(observed: () => Promise<Observation>, context: ClusterContext): readonly Check[] {
  const check = (name: string, look: (seen: Observation, context: ClusterContext) => readonly Finding[]): Check => ({
    name,
    run: async () => {
      const seen = await observed();
      // One missing broker is one failure, not five.
      return name === 'broker' || seen.health.connected ? look(seen, context) : [skipped('Needs the broker.')];
    },
  });
  return [
    check('broker', brokerFindings),
    check('events', eventFindings),
    check('task events', taskEventFindings),
    check('remote control', controlFindings),
    check('clocks', clockFindings),
  ];
}

export function brokerFindings({ health }: Observation, { displayUrl }: ClusterContext): Finding[] {
  if (displayUrl.startsWith('demo:')) {
    return [warning('No broker is configured: what is shown is the simulated cluster.', 'Give your own by --broker.')];
  }
  if (health.connected) return [ok(`${displayUrl} takes the connection.`)];
  return [
    failed(
      `${displayUrl} cannot be reached: ${health.problem ?? 'no answer'}`,
      'Check --broker: host, port, user, password, and the database number or virtual host at its end.',
    ),
  ];
}

export function eventFindings(seen: Observation, { eventExchange, enablesEvents }: ClusterContext): Finding[] {
  const findings: Finding[] = [];
  const workers = [...seen.heard.keys()].sort();
  const seconds = Math.round(seen.listenedMs / 1000);
  if (workers.length > 0) findings.push(ok(`${counted(workers.length, 'worker')} heard: ${listed(workers)}.`));
  else findings.push(nobodyHeard(seen, seconds, eventExchange));
  for (const [reason, count] of seen.rejects) {
    if (reason === 'ignored') continue;
    findings.push(warning(`${counted(count, 'message')} could not be used (${reason}).`, rejectAdvice(reason)));
  }
  const quiet = answering(seen.ping).filter((worker) => !seen.heard.has(worker));
  if (workers.length > 0 && quiet.length > 0) {
    findings.push(
      warning(
        `${listed(quiet)} ${quiet.length === 1 ? 'answers' : 'answer'} but sent no event within ${seconds} s.`,
        `Start ${quiet.length === 1 ? 'it' : 'them'} without --without-heartbeat, with event_exchange = '${eventExchange}'.`,
      ),
    );
  }
  return [...findings, ...sentFindings(seen, enablesEvents)];
}

function nobodyHeard(seen: Observation, seconds: number, eventExchange: string): Finding {
  const hint = seen.health.hint === undefined ? '' : ` ${seen.health.hint}`;
  const found = `No worker sent an event within ${seconds} s.${hint}`;
  const workers = answering(seen.ping);
  return workers.length === 0
    ? failed(found, 'Start a worker; if one runs, it uses another broker, database number, virtual host or key prefix.')
    : failed(
        found,
        `${listed(workers)} ${workers.length === 1 ? 'answers' : 'answer'}, so the events go elsewhere: compare event_exchange ('${eventExchange}' here, --event-exchange), fanout_prefix and global_keyprefix with the workers' settings.`,
      );
}

function rejectAdvice(reason: string): string {
  return reason === 'pickle' || reason === 'content-type'
    ? "Set event_serializer = 'json' in the application: the agent never executes a pickle."
    : 'Look for another program that publishes to the event exchange.';
}

/** task-sent comes from publishers, which nobody can ask; the workers usually share their settings. */
function sentFindings({ conf, taskSentEvents }: Observation, enablesEvents: boolean): Finding[] {
  const settings = [...(conf.answers?.values() ?? [])].filter(({ ok: isOk }) => isOk);
  if (taskSentEvents > 0 || settings.length === 0) return [];
  const without = settings.filter((answer) => answer.ok && settingOf(answer.reply, 'task_send_sent_event') !== true);
  if (without.length === 0) return [];
  const advice = enablesEvents ? '--enable-events cannot switch it on: ' : '';
  return [
    warning(
      'No task-sent events: tasks are seen only once a worker has them, and the time in the queue is not known.',
      `${advice}set task_send_sent_event = True in the application.`,
    ),
  ];
}

export function taskEventFindings({ events, ping }: Observation, { enablesEvents }: ClusterContext): Finding[] {
  if (events.problem !== undefined) return [cannotAsk(events.problem)];
  const asked = [...events.answers.values()];
  if (asked.length === 0) return [skipped(ping.answers?.size === 0 ? 'No worker answers.' : 'No worker tells.')];
  const off = switchedOn(events).sort();
  const errors = asked.filter((answer) => !answer.ok).map(({ worker }) => worker);
  const on = asked.length - off.length - errors.length;
  const findings: Finding[] = [];
  if (on > 0) findings.push(ok(`${counted(on, 'worker')} ${on === 1 ? 'sends' : 'send'} task events.`));
  if (off.length > 0) {
    const lasting = `start ${off.length === 1 ? 'it' : 'them'} with -E, or set worker_send_task_events = True`;
    const advice = enablesEvents
      ? `The agent switches them on by --enable-events, but not before its next round after each start; better ${lasting}.`
      : `S${lasting.slice(1)}; or let the agent switch them on: --enable-events.`;
    findings.push((enablesEvents ? warning : failed)(`Task events were off at ${listed(off)}.`, advice));
  }
  if (errors.length > 0) {
    findings.push(warning(`${listed(errors)} cannot tell.`, 'Look into the log of the worker.'));
  }
  return findings;
}

export function controlFindings({ ping, heard }: Observation): Finding[] {
  if (ping.problem !== undefined) return [cannotAsk(ping.problem)];
  const names = answering(ping).sort();
  const silent = [...heard.keys()].filter((worker) => !ping.answers.has(worker)).sort();
  const findings: Finding[] = [];
  if (names.length > 0)
    findings.push(
      ok(`${counted(names.length, 'worker')} ${names.length === 1 ? 'answers' : 'answer'}: ${listed(names)}.`),
    );
  if (silent.length > 0) {
    findings.push(
      warning(
        `${listed(silent)} ${silent.length === 1 ? 'sends' : 'send'} events but ${silent.length === 1 ? 'does' : 'do'} not answer.`,
        'A solo worker answers between tasks only. Otherwise set worker_enable_remote_control = True, and control_exchange as --control-exchange.',
      ),
    );
  }
  if (findings.length === 0) {
    findings.push(
      failed(
        'No worker answers a ping.',
        'Start a worker, or compare --control-exchange and the key prefixes with its settings.',
      ),
    );
  }
  for (const answer of ping.answers.values()) {
    if (!answer.ok)
      findings.push(warning(`${answer.worker} answers "${answer.error}".`, "Set result_serializer = 'json'."));
  }
  return findings;
}

export function clockFindings({ heard }: Observation): Finding[] {
  const measured = [...heard.values()].filter(({ behindSeconds }) => Number.isFinite(behindSeconds));
  if (measured.length === 0) return [skipped('No worker was heard.')];
  const wrong = measured.filter(({ behindSeconds }) => Math.abs(behindSeconds) > SKEW_WARNING_SECONDS);
  if (wrong.length === 0) return [ok(`The clocks of ${counted(measured.length, 'worker')} agree with this one.`)];
  return wrong.map(({ worker, behindSeconds }) => {
    const seconds = Math.abs(behindSeconds).toFixed(1);
    const side = behindSeconds > 0 ? 'behind, or its events are late' : 'ahead';
    const isFar = Math.abs(behindSeconds) > SKEW_FAILED_SECONDS;
    return (isFar ? failed : warning)(
      `The clock of ${worker} is ${seconds} s ${side}.`,
      'Run NTP on its machine and on this one: runtimes and waiting times are taken from these clocks.',
    );
  });
}

/** Names of the workers that answered at all. */
export function answering({ answers }: Outcome): string[] {
  return [...(answers?.keys() ?? [])];
}

function cannotAsk(problem: string): Finding {
  return failed(
    `Workers cannot be asked: ${problem}.`,
    'The broker user needs the rights to publish and to make queues.',
  );
}

/** Of an answer to `conf`: the settings alone, or below `ok`. */
export function settingOf(reply: unknown, name: string): unknown {
  if (typeof reply !== 'object' || reply === null) return undefined;
  const settings = 'ok' in reply && typeof reply.ok === 'object' && reply.ok !== null ? reply.ok : reply;
  return (settings as Readonly<Record<string, unknown>>)[name];
}
