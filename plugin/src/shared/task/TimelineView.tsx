import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { formatDuration, formatInstant } from '../ui/format';
import { type Attempt, percentOf, type Span, type TimelineModel } from './timeline';

/** A task's life: a bar of waiting and running for each attempt, and the events themselves. */
export function TimelineView({ model, timeZone }: { readonly model: TimelineModel; readonly timeZone: TimeZone }) {
  const styles = useStyles2(getStyles);
  const { attempts } = model;
  if (attempts.length === 0) {
    return <p>{t('timeline.none', 'No events of this task are kept any more.')}</p>;
  }
  return (
    <>
      <ul className={styles.legend} aria-hidden>
        {(['queued', 'waiting', 'running'] as const).map((kind) => (
          <li key={kind}>
            <span className={`${styles.swatch} ${styles[kind]}`} /> {kindName(kind)}
          </li>
        ))}
      </ul>
      {attempts.map((attempt) => (
        <AttemptView
          key={attempt.number}
          attempt={attempt}
          model={model}
          named={attempts.length > 1}
          timeZone={timeZone}
        />
      ))}
    </>
  );
}

interface AttemptViewProps {
  readonly attempt: Attempt;
  readonly model: TimelineModel;
  readonly named: boolean;
  readonly timeZone: TimeZone;
}

function AttemptView({ attempt: { number, spans, events }, model, named, timeZone }: AttemptViewProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.attempt}>
      {named && <h4 className={styles.heading}>{t('timeline.attempt', 'Attempt {{number}}', { number })}</h4>}
      <div className={styles.track} role="img" aria-label={spans.map(spanText).join(', ')}>
        {spans.map((span) => (
          <div
            key={span.kind}
            className={`${styles.bar} ${styles[span.kind]}`}
            style={{
              left: `${percentOf(span.fromMs, model)}%`,
              width: `max(2px, ${percentOf(span.toMs, model) - percentOf(span.fromMs, model)}%)`,
            }}
            title={spanText(span)}
          />
        ))}
      </div>
      <p className={styles.spans}>{spans.map(spanText).join(' · ')}</p>
      <table className={styles.events}>
        <thead>
          <tr>
            <th>{t('timeline.event', 'Event')}</th>
            <th>{t('timeline.time', 'Time')}</th>
            <th>{t('timeline.since', 'Since the first')}</th>
            <th>{t('timeline.sender', 'Sender')}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event, index) => (
            <tr key={index}>
              <td>{event.type.replace('task-', '')}</td>
              <td>{formatInstant(event.timestampMs, timeZone)}</td>
              <td>+{formatDuration(Math.max(0, event.timestampMs - model.fromMs))}</td>
              <td>{event.worker}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function kindName(kind: Span['kind']): string {
  switch (kind) {
    case 'queued':
      return t('timeline.queued', 'In the queue');
    case 'waiting':
      return t('timeline.waiting', 'At the worker');
    case 'running':
      return t('timeline.running', 'Running');
  }
}

function spanText({ kind, fromMs, toMs, open }: Span): string {
  const length = formatDuration(toMs - fromMs);
  return open
    ? t('timeline.open', '{{what}} for {{length}} so far', { what: kindName(kind), length })
    : t('timeline.span', '{{what}} for {{length}}', { what: kindName(kind), length });
}

const getStyles = (theme: GrafanaTheme2) => {
  const stripes = `repeating-linear-gradient(45deg, ${theme.colors.warning.main} 0 4px, ${theme.colors.warning.shade} 4px 8px)`;
  return {
    legend: css({
      display: 'flex',
      gap: theme.spacing(2),
      listStyle: 'none',
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
    }),
    swatch: css({ display: 'inline-block', width: 12, height: 8 }),
    attempt: css({ marginTop: theme.spacing(1) }),
    heading: css({ ...theme.typography.h6, margin: 0 }),
    track: css({
      position: 'relative',
      height: 14,
      background: theme.colors.background.secondary,
      borderRadius: theme.shape.radius.default,
    }),
    bar: css({ position: 'absolute', top: 0, bottom: 0 }),
    queued: css({ background: theme.colors.text.disabled }),
    waiting: css({ background: stripes }),
    running: css({ background: theme.colors.primary.main }),
    spans: css({
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      margin: theme.spacing(0.5, 0),
    }),
    events: css({
      width: '100%',
      fontSize: theme.typography.bodySmall.fontSize,
      'td, th': { padding: theme.spacing(0.25, 1, 0.25, 0), textAlign: 'left', overflowWrap: 'anywhere' },
      th: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    }),
  };
};
