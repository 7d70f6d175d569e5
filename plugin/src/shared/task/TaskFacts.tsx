import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import type { TaskDetail } from '../api';
import { formatDuration, formatInstant } from '../ui/format';
import { orphanText, sourceText } from './marks';

/** What is known of a task besides its values; what is not known is left out. */
export function TaskFacts({ task, timeZone }: { readonly task: TaskDetail; readonly timeZone: TimeZone }) {
  const styles = useStyles2(getStyles);
  return (
    <dl className={styles.list}>
      {factsOf(task, timeZone).map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

type Fact = readonly [name: string, value: string];

function factsOf(task: TaskDetail, timeZone: TimeZone): Fact[] {
  const text = (name: string, value: string | number | null): Fact[] =>
    value === null || value === '' ? [] : [[name, String(value)]];
  const instant = (name: string, ms: number | null): Fact[] =>
    ms === null ? [] : [[name, formatInstant(ms, timeZone)]];
  return [
    ...text(t('fact.orphaned', 'Orphaned'), task.orphaned === null ? null : orphanText(task.orphaned)),
    ...text(t('fact.retried-as', 'Sent again as'), task.retriedAs),
    ...text(t('fact.healed', 'State read from'), task.healed === null ? null : sourceText(task.healed)),
    ...instant(t('fact.marked', 'Found out'), task.markedMs),
    ...text(t('fact.worker', 'Worker'), task.worker),
    ...text(t('fact.queue', 'Queue'), task.queue),
    ...text(t('fact.exchange', 'Exchange'), task.exchange),
    ...text(t('fact.routing-key', 'Routing key'), task.routingKey),
    ...(task.runtimeMs === null ? [] : [[t('fact.runtime', 'Runtime'), formatDuration(task.runtimeMs)] as const]),
    ...text(t('fact.retries', 'Retries'), task.retries),
    ...text(t('fact.eta', 'ETA'), task.eta),
    ...text(t('fact.expires', 'Expires'), task.expires),
    ...instant(t('fact.sent', 'Sent'), task.sentMs),
    ...instant(t('fact.received', 'Received'), task.receivedMs),
    ...instant(t('fact.started', 'Started'), task.startedMs),
    ...instant(t('fact.succeeded', 'Succeeded'), task.succeededMs),
    ...instant(t('fact.failed', 'Failed'), task.failedMs),
    ...instant(t('fact.retried', 'Retried'), task.retriedMs),
    ...instant(t('fact.revoked', 'Revoked'), task.revokedMs),
    ...instant(t('fact.rejected', 'Rejected'), task.rejectedMs),
    ...text(t('fact.client', 'Sent by'), task.client),
    ...text(t('fact.pid', 'Process of the worker'), task.pid),
    ...text(t('fact.root', 'Root of the workflow'), task.rootId),
    ...text(t('fact.parent', 'Parent'), task.parentId),
    ...(task.oddities === null ? [] : [[t('fact.oddities', 'Odd values'), JSON.stringify(task.oddities)] as const]),
  ];
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    display: 'grid',
    gridTemplateColumns: 'minmax(110px, max-content) 1fr',
    gap: theme.spacing(0.5, 2),
    fontSize: theme.typography.bodySmall.fontSize,
    dt: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    dd: { margin: 0, overflowWrap: 'anywhere' },
  }),
});
