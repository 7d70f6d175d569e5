import type { Me, Status } from '../../shared/api';

/** The oldest agent that answers what this plugin asks. */
export const LEAST_VERSION = '0.1.0';

export interface Health {
  readonly status: 'success' | 'error';
  readonly message: string;
}

/** What “Save & test” says of an agent that answered: the first thing that stands in the way, with what to do. */
export function healthOf(status: Status, me: Me): Health {
  const found = faultOf(status, me);
  if (found !== undefined) {
    return { status: 'error', message: found };
  }
  const { version, counts } = status;
  const online = counts['onlineWorkers'] ?? 0;
  const workers = online === 1 ? '1 worker' : `${online} workers`;
  const notes = notesOf(status, me);
  const hint = notes.length === 0 ? '' : ` ${notes.join(' ')}`;
  return { status: 'success', message: `Agent ${version} answers and hears ${workers}.${hint}` };
}

function faultOf(status: Status, me: Me): string | undefined {
  const { version, broker, history } = status;
  if (isOlder(version, LEAST_VERSION)) {
    return `The agent has version ${version}; this plugin needs ${LEAST_VERSION} or later. Update the agent.`;
  }
  if (!broker.connected) {
    const why = broker.problem === undefined ? '' : ` ${sentence(broker.problem)}`;
    return `The agent answers but has no connection to the broker ${broker.displayUrl}.${why} Check the agent’s option --broker.`;
  }
  if (history.enabled && !history.connected) {
    const why = history.problem === undefined ? '' : ` ${sentence(history.problem)}`;
    return `The agent answers but cannot reach its history (Postgres).${why} Until it can, tables and series do not work.`;
  }
  return undefined;
}

function notesOf({ demo, history, counts, warnings }: Status, me: Me): string[] {
  const online = counts['onlineWorkers'] ?? 0;
  const notes: string[] = [];
  if (demo) {
    notes.push('DEMO: the tasks and workers are simulated; start the agent with --broker for your own cluster.');
  }
  if (!history.enabled) {
    notes.push('It keeps no history, so tables and series do not work: start it without --no-history.');
  }
  if (!demo && online === 0) {
    notes.push('No worker has been heard yet: are workers running, and on this broker?');
  } else if (!demo && counts['taskEvents'] === 0) {
    notes.push(
      'Workers send heartbeats but no task events: start them with -E, or set worker_send_task_events, ' +
        'or use the action “Switch task events on”.',
    );
  }
  const own = me.ownRole;
  if (me.via === 'anonymous') {
    notes.push(
      'No token is set: everybody may look, nobody may act. Set a token of role admin to act on tasks and workers.',
    );
  } else if (own !== 'admin') {
    const missing = own === 'editor' ? 'act on workers and see the audit' : 'act on tasks and workers';
    notes.push(
      `The token has the role ${own}: nobody may ${missing}. Use a token of role admin; Grafana’s roles limit it.`,
    );
  }
  if (me.readOnly) {
    notes.push('The agent runs with --read-only: nobody may act.');
  }
  return [...notes, ...warnings.filter((text) => !/^DEMO|none has sent a task event/.test(text))];
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  for (let index = 0; index < 3; index += 1) {
    const [left, right] = [a?.[index] ?? 0, b?.[index] ?? 0];
    if (left !== right) {
      return left < right;
    }
  }
  return false;
}
