import { AppEvents } from '@grafana/data';
import { getAppEvents } from '@grafana/runtime';
import type { CommandOutcome } from '../api';

/** Grafana's messages in the corner. */
export function toast(severity: 'success' | 'warning' | 'error', title: string, text?: string): void {
  const kinds = { success: AppEvents.alertSuccess, warning: AppEvents.alertWarning, error: AppEvents.alertError };
  getAppEvents().publish({ type: kinds[severity].name, payload: text === undefined ? [title] : [title, text] });
}

/** How an order went: everybody obeyed, some did not, nobody did. Without answers (`shutdown`) sending counts. */
export function severityOf({ answers, silent }: CommandOutcome): 'success' | 'warning' | 'error' {
  const refused = answers.filter(({ ok }) => !ok).length;
  if (refused === 0 && silent.length === 0) {
    return 'success';
  }
  return answers.some(({ ok }) => ok) ? 'warning' : 'error';
}
