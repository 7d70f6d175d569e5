import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { Bulk } from '../api';
import { StateBadge } from '../ui/StateBadge';
import { UNKNOWN } from '../ui/format';
import { type BulkKind, type BulkState, percentDone } from './bulkFlow';

/** What would be hit, how far it is, or how it went; task by task. */
export function BulkOutcome({ kind, state }: { readonly kind: BulkKind; readonly state: BulkState }) {
  switch (state.step) {
    case 'asking':
      return null;
    case 'planning':
      return state.plan === undefined ? null : <Progress bulk={state.plan} text={t('bulk.looking', 'Looking…')} />;
    case 'planned':
      return (
        <>
          <PlanSummary kind={kind} plan={state.plan} />
          <TaskList bulk={state.plan} />
        </>
      );
    case 'starting':
      return <Progress bulk={{ ...state.plan, done: 0, failed: 0 }} text={t('bulk.starting', 'Starting…')} />;
    case 'running':
      return (
        <>
          <Progress bulk={state.bulk} text={t('bulk.running', 'Under way')} />
          {state.problem !== undefined && <Alert severity="warning" title={state.problem} />}
          <TaskList bulk={state.bulk} />
        </>
      );
    case 'ended':
      return (
        <>
          <EndSummary bulk={state.bulk} />
          <TaskList bulk={state.bulk} />
        </>
      );
  }
}

function PlanSummary({ kind, plan: { matched, failed } }: { readonly kind: BulkKind; readonly plan: Bulk }) {
  if (matched === 0) {
    const why =
      kind === 'retry'
        ? t('bulk.none-ended', 'None of them has ended.')
        : t('bulk.none-open', 'None of them is still open.');
    return (
      <Alert severity="info" title={t('bulk.none', 'Nothing would be hit')}>
        {why}
      </Alert>
    );
  }
  return (
    <Alert
      severity={failed > 0 ? 'warning' : 'info'}
      title={t('bulk.matched', '{{count}} task(s) would be hit', { count: matched })}
    >
      {failed > 0 && t('bulk.cannot', '{{count}} of them cannot be done; the reasons stand below.', { count: failed })}
    </Alert>
  );
}

function EndSummary({ bulk: { state, done, failed, matched, problem } }: { readonly bulk: Bulk }) {
  const left = matched - done - failed;
  const title = {
    done: t('bulk.ended', 'Done'),
    cancelled: t('bulk.ended-cancelled', 'Stopped'),
    failed: t('bulk.ended-failed', 'Broken off'),
    running: '',
  }[state];
  return (
    <Alert severity={state === 'failed' ? 'error' : failed > 0 || left > 0 ? 'warning' : 'success'} title={title}>
      {t('bulk.totals', '{{done}} done, {{failed}} failed, {{left}} not begun.', { done, failed, left })} {problem}
    </Alert>
  );
}

function Progress({ bulk, text }: { readonly bulk: Bulk; readonly text: string }) {
  const styles = useStyles2(getStyles);
  const percent = percentDone(bulk);
  return (
    <div className={styles.progress} role="status">
      <span>
        {text}: {bulk.done + bulk.failed} / {bulk.matched}
      </span>
      <div
        role="progressbar"
        aria-label={text}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className={styles.bar}
      >
        <div className={styles.done} style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}

function TaskList({ bulk: { tasks, matched } }: { readonly bulk: Bulk }) {
  const styles = useStyles2(getStyles);
  if (tasks.length === 0) {
    return null;
  }
  return (
    <div className={styles.list} tabIndex={0} role="region" aria-label={t('bulk.tasks', 'Tasks')}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th>{t('bulk.column-name', 'Name')}</th>
            <th>{t('bulk.column-id', 'Task ID')}</th>
            <th>{t('bulk.column-state', 'State')}</th>
            <th>{t('bulk.column-outcome', 'Outcome')}</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map(({ taskId, name, state, outcome }) => (
            <tr key={taskId}>
              <td>{name ?? UNKNOWN}</td>
              <td className={styles.id}>{taskId}</td>
              <td>
                <StateBadge state={state} />
              </td>
              <td>{outcome ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {matched > tasks.length && <p>{t('bulk.more', 'and {{count}} more', { count: matched - tasks.length })}</p>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  progress: css({ margin: theme.spacing(1, 0) }),
  bar: css({
    height: 8,
    marginTop: theme.spacing(0.5),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
    overflow: 'hidden',
  }),
  done: css({ height: '100%', background: theme.colors.primary.main }),
  list: css({ maxHeight: 320, overflow: 'auto', border: `1px solid ${theme.colors.border.weak}` }),
  table: css({
    width: '100%',
    fontSize: theme.typography.bodySmall.fontSize,
    'td, th': { padding: theme.spacing(0.5, 1), textAlign: 'left', verticalAlign: 'top', overflowWrap: 'anywhere' },
    th: { position: 'sticky', top: 0, background: theme.colors.background.primary },
  }),
  id: css({ fontFamily: theme.typography.fontFamilyMonospace }),
});
