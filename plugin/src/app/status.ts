import { t } from '@grafana/i18n';
import type { Status } from '../shared/api';

/** How an agent stands, in one word; each goes with a text and an icon, never with a colour alone. */
export type Standing = 'connected' | 'demo' | 'warning' | 'broker-away';

export function standingOf({ demo, broker, history, warnings }: Status): Standing {
  if (!broker.connected) {
    return 'broker-away';
  }
  if (demo) {
    return 'demo';
  }
  return warnings.length > 0 || (history.enabled && !history.connected) ? 'warning' : 'connected';
}

/** What is wrong, in the agent's own sentences, each once. */
export function problemsOf({ broker, history, warnings }: Status): string[] {
  return [...new Set([broker.problem, history.problem, ...warnings])].filter((text) => text !== undefined);
}

export function historyText({ history }: Status): string {
  if (!history.enabled) {
    return t('app.status.no-history', 'not kept: only what is in memory is shown');
  }
  return history.connected
    ? t('app.status.history-ok', 'kept')
    : t('app.status.history-away', 'database away: events wait to be written');
}
