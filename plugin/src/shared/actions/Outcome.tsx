import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { CommandOutcome } from '../api';

/** What each worker said to an order: done, its own words of refusal, or nothing. */
export function Outcome({ outcome }: { readonly outcome: CommandOutcome }) {
  const styles = useStyles2(getStyles);
  if (outcome.answers.length === 0 && outcome.silent.length === 0) {
    return <p role="status">{receiversText(outcome)}</p>;
  }
  return (
    <ul className={styles.list} aria-label={t('outcome.title', 'Answers of the workers')}>
      {outcome.answers.map(({ worker, ok, reply, error, hint }) => (
        <li key={worker} className={styles.row}>
          <Icon name={ok ? 'check' : 'exclamation-triangle'} className={ok ? styles.ok : styles.error} />
          <span>
            <strong>{worker}</strong>: {ok ? replyText(reply) : (error ?? t('outcome.refused', 'refused'))}
            {hint !== undefined && <div>{hint}</div>}
          </span>
        </li>
      ))}
      {outcome.silent.map((worker) => (
        <li key={worker} className={styles.row}>
          <Icon name="clock-nine" className={styles.silent} />
          <span>
            <strong>{worker}</strong>: {t('outcome.silent', 'no answer in time; it may still act on it')}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A worker's answer in words: Celery wraps most of them as `{"ok": "…"}`. */
export function replyText(reply: unknown): string {
  if (reply === null || reply === undefined) {
    return t('outcome.done', 'done');
  }
  if (typeof reply === 'string') {
    return reply;
  }
  const told = typeof reply === 'object' ? (reply as { ok?: unknown }).ok : undefined;
  return typeof told === 'string' ? told : JSON.stringify(reply);
}

function receiversText({ sent, receivers, workers }: CommandOutcome): string {
  if (!sent) {
    return t('outcome.not-sent', 'Nothing was sent.');
  }
  const count = receivers ?? workers.length;
  return count === 0
    ? t('outcome.nobody', 'Sent, but no worker is there to hear it.')
    : t('outcome.sent', 'Sent. Workers do not answer this.');
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: theme.spacing(1, 0), maxHeight: 240, overflowY: 'auto' }),
  row: css({
    display: 'flex',
    gap: theme.spacing(1),
    padding: theme.spacing(0.5, 0),
    overflowWrap: 'anywhere',
    svg: { flexShrink: 0 },
  }),
  ok: css({ color: theme.colors.success.text }),
  error: css({ color: theme.colors.error.text }),
  silent: css({ color: theme.colors.warning.text }),
});
