import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';

/** How a state is told from others without its colour. */
export type StateShape = 'dot' | 'inbox' | 'play' | 'check' | 'cross' | 'retry' | 'ban' | 'minus' | 'ring';

export type StateColor = 'secondary' | 'info' | 'primary' | 'success' | 'warning' | 'error';

export interface StateLook {
  readonly shape: StateShape;
  readonly color: StateColor;
  /** No further event is expected: it may be sent again, but not revoked */
  readonly finished: boolean;
}

const LOOKS: Readonly<Record<string, StateLook>> = {
  PENDING: { shape: 'dot', color: 'secondary', finished: false },
  RECEIVED: { shape: 'inbox', color: 'info', finished: false },
  STARTED: { shape: 'play', color: 'primary', finished: false },
  SUCCESS: { shape: 'check', color: 'success', finished: true },
  FAILURE: { shape: 'cross', color: 'error', finished: true },
  RETRY: { shape: 'retry', color: 'warning', finished: false },
  REVOKED: { shape: 'ban', color: 'warning', finished: true },
  REJECTED: { shape: 'minus', color: 'error', finished: true },
};

/** Of a state of the app's own, e.g. PROGRESS: the task is under way. */
const CUSTOM: StateLook = { shape: 'ring', color: 'primary', finished: false };

/** Celery's own states, in the order of a task's life. */
export const STATES: readonly string[] = Object.keys(LOOKS);

export function lookOf(state: string): StateLook {
  return LOOKS[state] ?? CUSTOM;
}

export function isFinished(state: string): boolean {
  return lookOf(state).finished;
}

/** What a state means, for tooltips and legends; undefined for one of the app's own. */
export function describeState(state: string): string | undefined {
  switch (state) {
    case 'PENDING':
      return t('state.pending', 'Sent; no worker has told of it yet');
    case 'RECEIVED':
      return t('state.received', 'A worker has it and will start it');
    case 'STARTED':
      return t('state.started', 'Runs now');
    case 'SUCCESS':
      return t('state.success', 'Ended well');
    case 'FAILURE':
      return t('state.failure', 'Ended with an exception');
    case 'RETRY':
      return t('state.retry', 'Failed and will be tried again');
    case 'REVOKED':
      return t('state.revoked', 'Called off, or expired');
    case 'REJECTED':
      return t('state.rejected', 'Refused by the worker');
    default:
      return undefined;
  }
}

/** Colour of a bar, a dot or a sparkline. */
export function fillOf(color: StateColor, theme: GrafanaTheme2): string {
  return color === 'secondary' ? theme.colors.text.disabled : theme.colors[color].main;
}

/** Colour with enough contrast for text. */
export function textColorOf(color: StateColor, theme: GrafanaTheme2): string {
  return color === 'secondary' ? theme.colors.text.secondary : theme.colors[color].text;
}
