import { css } from '@emotion/css';
import type { GrafanaTheme2, RawTimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { IconButton, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef } from 'react';
import { DASHBOARD_VARIABLES } from '../../shared/ids';
import { BoardLink } from '../../shared/ui/BoardLink';
import { formatDuration, formatInstant, UNKNOWN } from '../../shared/ui/format';
import { StateBadge } from '../../shared/ui/StateBadge';
import { runOf, waitOf } from './model/gantt';
import type { WorkflowTask } from '../../shared/workflow/tasks';

interface TaskCardProps {
  readonly task: WorkflowTask;
  readonly nowMs: number;
  readonly critical: boolean;
  /** Of the data source, for the link */
  readonly uid: string | undefined;
  readonly range: RawTimeRange;
  readonly timeZone: TimeZone;
  readonly onClose: () => void;
}

/** A few facts of one task over the picture, and the way to all of them. Escape closes it; focus goes back. */
export function TaskCard({ task, nowMs, critical, uid, range, timeZone, onClose }: TaskCardProps) {
  const styles = useStyles2(getStyles);
  const cardRef = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    cardRef.current?.focus();
    return () => {
      if (before instanceof HTMLElement || before instanceof SVGElement) {
        before.focus();
      }
    };
  }, []);
  const facts: Array<readonly [string, string | null | undefined]> = [
    [t('workflow.card.id', 'Task ID'), task.taskId],
    [t('workflow.card.worker', 'Worker'), task.worker],
    [t('workflow.card.queue', 'Queue'), task.queue],
    [t('workflow.card.sent', 'Published'), formatInstant(task.sentMs ?? task.receivedMs, timeZone)],
    [t('workflow.card.wait', 'Waited'), formatDuration(waitOf(task, nowMs))],
    [t('workflow.card.run', 'Ran'), formatDuration(runOf(task, nowMs))],
    [t('workflow.card.retries', 'Retries'), task.retries === null ? null : String(task.retries)],
    [t('workflow.card.exception', 'Exception'), task.exception],
  ];
  const name = task.name ?? task.taskId;
  return (
    <div
      ref={cardRef}
      role="dialog"
      aria-label={name}
      tabIndex={-1}
      className={styles.card}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <div className={styles.head}>
        <strong>{name}</strong>
        <IconButton name="times" tooltip={t('workflow.card.close', 'Close')} onClick={onClose} />
      </div>
      <p className={styles.state}>
        <StateBadge state={task.state} />
        {critical && <span>{t('workflow.card.critical', 'on the critical path')}</span>}
      </p>
      <dl className={styles.facts}>
        {facts
          .filter(([, value]) => value !== null && value !== undefined && value !== UNKNOWN)
          .map(([label, value]) => (
            <React.Fragment key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
      <span className={styles.link}>
        <BoardLink uid={uid} board="task" variables={{ [DASHBOARD_VARIABLES.taskId]: task.taskId }} range={range}>
          {t('workflow.card.open', 'Open task')}
        </BoardLink>
      </span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  card: css({
    position: 'absolute',
    top: theme.spacing(5.5),
    right: theme.spacing(1),
    zIndex: 5,
    width: 300,
    maxWidth: `calc(100% - ${theme.spacing(2)})`,
    maxHeight: `calc(100% - ${theme.spacing(7)})`,
    overflow: 'auto',
    padding: theme.spacing(1.5),
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.colors.border.medium}`,
    background: theme.colors.background.elevated,
    boxShadow: theme.shadows.z3,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  head: css({ display: 'flex', justifyContent: 'space-between', gap: theme.spacing(1), overflowWrap: 'anywhere' }),
  state: css({ display: 'flex', gap: theme.spacing(1), margin: theme.spacing(0.5, 0) }),
  facts: css({
    display: 'grid',
    gridTemplateColumns: 'max-content 1fr',
    gap: theme.spacing(0.25, 1),
    margin: theme.spacing(0, 0, 1),
    dt: { color: theme.colors.text.secondary, fontWeight: 'inherit' },
    dd: { margin: 0, overflowWrap: 'anywhere' },
  }),
  link: css({ color: theme.colors.text.link }),
});
