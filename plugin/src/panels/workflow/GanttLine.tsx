import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2, useTheme2 } from '@grafana/ui';
import React from 'react';
import { formatDuration } from '../../shared/ui/format';
import { StateGlyph } from '../../shared/ui/StateBadge';
import { fillOf, lookOf, textColorOf } from '../../shared/ui/stateLook';
import type { Bar, GanttRow } from './model/gantt';
import { shortName } from '../../shared/workflow/tasks';
import { getBarStyles } from './styles';

interface GanttLineProps {
  readonly row: GanttRow;
  readonly top: number;
  readonly height: number;
  readonly labelWidth: number;
  readonly xOf: (ms: number) => number;
  readonly index: number;
  readonly count: number;
  readonly onOpen: (taskId: string) => void;
}

const INDENT = 12;
/** A long chain would push the names out. */
const MOST_INDENT = 8;
const LEAST_BAR = 2;

export function GanttLine({ row, top, height, labelWidth, xOf, index, count, onOpen }: GanttLineProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { task, depth, bars, critical } = row;
  const { shape, color } = lookOf(task.state);
  const retries = task.retries ?? 0;
  const tries = bars.find(({ kind }) => kind === 'tries');
  return (
    <div role="listitem" aria-posinset={index + 1} aria-setsize={count} className={styles.row} style={{ top, height }}>
      <button
        type="button"
        className={styles.label}
        style={{ width: labelWidth, paddingLeft: 6 + Math.min(depth, MOST_INDENT) * INDENT }}
        aria-label={labelOf(row)}
        title={labelOf(row)}
        onClick={() => onOpen(task.taskId)}
      >
        <span className={styles.glyph} style={{ color: textColorOf(color, theme) }}>
          <StateGlyph shape={shape} />
        </span>
        <span className={cx(styles.name, critical && styles.strong)}>{shortName(task)}</span>
      </button>
      {bars.map((bar) => (
        <BarBox
          key={bar.kind}
          bar={bar}
          color={fillOf(color, theme)}
          labelWidth={labelWidth}
          xOf={xOf}
          critical={critical}
        />
      ))}
      {retries > 0 && (
        <span
          className={styles.retry}
          style={{ left: labelWidth + xOf(tries?.toMs ?? task.retriedMs ?? bars[0]?.fromMs ?? 0) }}
        >
          ↻{retries}
        </span>
      )}
    </div>
  );
}

interface BarBoxProps {
  readonly bar: Bar;
  readonly color: string;
  readonly labelWidth: number;
  readonly xOf: (ms: number) => number;
  readonly critical: boolean;
}

function BarBox({ bar: { kind, fromMs, toMs }, color, labelWidth, xOf, critical }: BarBoxProps) {
  const styles = useStyles2(getBarStyles);
  const left = labelWidth + xOf(fromMs);
  const width = Math.max(xOf(toMs) - xOf(fromMs), kind === 'run' ? LEAST_BAR : 0);
  return (
    <span
      className={cx(styles[kind], critical && styles.critical)}
      style={{ left, width, ...(kind === 'run' ? { backgroundColor: color } : {}) }}
    />
  );
}

function labelOf({ task, bars, critical }: GanttRow): string {
  const length = (kind: Bar['kind']) => {
    const bar = bars.find((one) => one.kind === kind);
    return bar === undefined ? undefined : formatDuration(bar.toMs - bar.fromMs);
  };
  const [wait, run] = [length('wait'), length('run')];
  const retries = task.retries ?? 0;
  return [
    task.name ?? task.taskId,
    task.state,
    wait === undefined ? undefined : t('workflow.line.waited', 'waited {{time}}', { time: wait }),
    run === undefined ? undefined : t('workflow.line.ran', 'ran {{time}}', { time: run }),
    retries > 0 ? t('workflow.line.retries', '{{count}} retries', { count: retries }) : undefined,
    critical ? t('workflow.line.critical', 'on the critical path') : undefined,
  ]
    .filter((word) => word !== undefined)
    .join(', ');
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    position: 'absolute',
    left: 0,
    width: '100%',
    '&:hover': { background: theme.colors.action.hover },
  }),
  label: css({
    position: 'sticky',
    left: 0,
    zIndex: 2,
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    height: '100%',
    border: 'none',
    background: theme.colors.background.primary,
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    textAlign: 'left',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: -2 },
  }),
  glyph: css({ display: 'inline-flex', flexShrink: 0 }),
  name: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  strong: css({ fontWeight: theme.typography.fontWeightBold }),
  retry: css({
    position: 'absolute',
    top: 5,
    zIndex: 1,
    padding: theme.spacing(0, 0.5),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.warning.main,
    color: theme.colors.warning.contrastText,
    fontSize: theme.typography.bodySmall.fontSize,
    lineHeight: '15px',
    pointerEvents: 'none',
  }),
});
