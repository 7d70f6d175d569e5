import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { Badge, Button, Icon, LinkButton, useStyles2 } from '@grafana/ui';
import React from 'react';
import { ActionButton } from '../../shared/actions/ActionButton';
import { Traceback } from '../../shared/task/Traceback';
import { Ago } from '../../shared/ui/cells';
import { formatCount } from '../../shared/ui/format';
import type { Group } from './model';
import { TrendBars } from './TrendBars';

export interface GroupRowProps {
  readonly group: Group;
  readonly trendFromMs: number;
  readonly trendStepMs: number;
  readonly isNew: boolean;
  readonly open: boolean;
  readonly nowMs: number;
  readonly timeZone: TimeZone;
  /** Where its tasks are shown */
  readonly tasksUrl: string | undefined;
  readonly canAct: boolean;
  /** Columns that there is place for */
  readonly wide: boolean;
  readonly onToggle: () => void;
  readonly onSample: () => void;
  readonly onRetry: () => void;
}

/** A kind of failure: one line, and what to know and to do about it once it is opened. */
export function GroupRow(props: GroupRowProps) {
  const { group, isNew, open, nowMs, timeZone, wide, trendFromMs, trendStepMs, onToggle } = props;
  const styles = useStyles2(getStyles);
  const { exceptionType, message, count, firstMs, lastMs, names } = group;
  return (
    <>
      <tr className={styles.row} onClick={onToggle}>
        <td>
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={open}
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            <Icon name={open ? 'angle-down' : 'angle-right'} />
            <strong>{exceptionType}</strong>
            {isNew && (
              <Badge
                text={t('failures.new', 'New')}
                color="orange"
                icon="bell"
                tooltip={t('failures.new-tooltip', 'First seen in the last tenth of the time range')}
              />
            )}
          </button>
          <div className={cx(styles.message, !open && styles.cut)} title={message}>
            {message}
          </div>
        </td>
        <td className={styles.number}>{formatCount(count)}</td>
        <td>
          <TrendBars trend={group.trend} fromMs={trendFromMs} stepMs={trendStepMs} timeZone={timeZone} />
        </td>
        <td className={styles.when}>
          <Ago ms={lastMs} nowMs={nowMs} timeZone={timeZone} />
        </td>
        {wide && (
          <>
            <td className={styles.when}>
              <Ago ms={firstMs} nowMs={nowMs} timeZone={timeZone} />
            </td>
            <td>
              <div className={cx(styles.names, styles.cut)} title={names.join(', ')}>
                {names.join(', ')}
              </div>
            </td>
          </>
        )}
      </tr>
      {open && <OpenGroup {...props} />}
    </>
  );
}

function OpenGroup({ group, tasksUrl, canAct, wide, onSample, onRetry }: GroupRowProps) {
  const styles = useStyles2(getStyles);
  const { count, names, sampleTaskId, sampleTraceback } = group;
  const notYet = canAct ? undefined : t('failures.no-source', 'The data source is not known yet.');
  return (
    <tr>
      <td colSpan={wide ? 6 : 4} className={styles.detail}>
        <div className={styles.actions}>
          <ActionButton
            role="editor"
            icon="repeat"
            label={t('failures.retry', 'Retry all {{count}}…', { count })}
            disabledReason={notYet}
            onClick={onRetry}
          />
          {tasksUrl !== undefined && (
            <LinkButton size="sm" variant="secondary" icon="list-ul" href={tasksUrl}>
              {t('failures.tasks', 'Show tasks')}
            </LinkButton>
          )}
          <Button size="sm" variant="secondary" icon="eye" disabled={!canAct || sampleTaskId === ''} onClick={onSample}>
            {t('failures.sample', 'Show the last one')}
          </Button>
        </div>
        <p className={styles.names}>{t('failures.names', 'Tasks: {{names}}', { names: names.join(', ') })}</p>
        {sampleTraceback === null ? (
          <p>{t('failures.no-traceback', 'No traceback is known of it.')}</p>
        ) : (
          <Traceback text={sampleTraceback} />
        )}
      </td>
    </tr>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    cursor: 'pointer',
    borderTop: `1px solid ${theme.colors.border.weak}`,
    td: { padding: theme.spacing(0.75, 1), verticalAlign: 'middle' },
    '&:hover': { background: theme.colors.action.hover },
  }),
  toggle: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    maxWidth: '100%',
    padding: 0,
    border: 'none',
    background: 'none',
    textAlign: 'left',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}` },
  }),
  message: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    paddingLeft: theme.spacing(2.5),
    overflowWrap: 'anywhere',
  }),
  cut: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  number: css({ textAlign: 'right', fontVariantNumeric: 'tabular-nums' }),
  when: css({ whiteSpace: 'nowrap', fontSize: theme.typography.bodySmall.fontSize }),
  names: css({
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.secondary,
    overflowWrap: 'anywhere',
  }),
  detail: css({ padding: theme.spacing(1, 2, 2, 3.5) }),
  actions: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1), marginBottom: theme.spacing(1) }),
});
