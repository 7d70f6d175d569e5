import { t } from '@grafana/i18n';
import { ClipboardButton, useStyles2 } from '@grafana/ui';
import React from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { FactTable, getStyles as getTableStyles } from './FactTable';
import { InspectView } from './InspectView';
import { readFacts, readReport, readTotals } from './replies';
import { useInspect } from './useInspect';
import type { TabProps } from './tabs';

export function StatsTab({ source, hostname }: TabProps) {
  const [inspection, ask] = useInspect(source, 'stats', hostname);
  return (
    <InspectView inspection={inspection} onAsk={ask}>
      {(reply) => (
        <>
          <Totals totals={readTotals(reply)} />
          <FactTable
            label={t('worker.stats', 'Statistics')}
            facts={readFacts(reply).filter(({ name }) => !name.startsWith('total.'))}
          />
        </>
      )}
    </InspectView>
  );
}

function Totals({ totals }: { readonly totals: ReturnType<typeof readTotals> }) {
  const styles = useStyles2(getTableStyles);
  if (totals.length === 0) {
    return <p>{t('worker.no-totals', 'It has taken no task since its start.')}</p>;
  }
  return (
    <table className={styles.table} aria-label={t('worker.totals', 'Tasks since its start')}>
      <thead>
        <tr>
          <th>{t('worker.total-name', 'Task')}</th>
          <th>{t('worker.total-count', 'Since its start')}</th>
        </tr>
      </thead>
      <tbody>
        {totals.map(({ name, count }) => (
          <tr key={name}>
            <td>{name}</td>
            <td>{count.toLocaleString('en-US')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function ConfTab({ source, hostname }: TabProps) {
  const [inspection, ask] = useInspect(source, 'conf', hostname);
  return (
    <InspectView inspection={inspection} onAsk={ask}>
      {(reply) => <FactTable label={t('worker.conf', 'Configuration')} facts={readFacts(reply)} />}
    </InspectView>
  );
}

export function ReportTab({ source, hostname }: TabProps) {
  const styles = useStyles2(getStyles);
  const [inspection, ask] = useInspect(source, 'report', hostname);
  const text = inspection.state === 'told' ? readReport(inspection.reply) : '';
  return (
    <InspectView
      inspection={inspection}
      onAsk={ask}
      actions={
        <ClipboardButton size="sm" variant="secondary" fill="outline" icon="copy" getText={() => text}>
          {t('worker.copy', 'Copy')}
        </ClipboardButton>
      }
    >
      {() => <pre className={styles.report}>{text}</pre>}
    </InspectView>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  report: css({ fontSize: theme.typography.bodySmall.fontSize, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }),
});
