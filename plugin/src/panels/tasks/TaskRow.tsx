import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React, { memo, useMemo } from 'react';
import { StateBadge } from '../../shared/ui/StateBadge';
import type { ColumnChoice, ColumnId } from './columnModel';
import { cellText, MONOSPACE, NUMERIC } from './columns';
import type { Row } from './held';

export const ROW_HEIGHT = 30;

/** What the cells of a column have in common, worked out once for all rows. */
export interface CellLook {
  readonly column: ColumnId;
  readonly width: number;
  readonly className: string;
}

export function useCellLooks(columns: readonly ColumnChoice[], widths: readonly number[]): readonly CellLook[] {
  const styles = useStyles2(getStyles);
  return useMemo(
    () =>
      columns.map(({ id }, place) => ({
        column: id,
        width: widths[place] ?? 0,
        className: cx(styles.cell, NUMERIC.has(id) && styles.numeric, MONOSPACE.has(id) && styles.mono),
      })),
    [columns, widths, styles],
  );
}

export interface TaskRowProps {
  readonly id: string;
  readonly row: Row;
  readonly index: number;
  readonly top: number;
  readonly cells: readonly CellLook[];
  readonly timeZone: TimeZone;
  readonly selected: boolean;
  readonly active: boolean;
  readonly onOpen: (taskId: string) => void;
  readonly onToggle: (taskId: string, range: boolean) => void;
  readonly onActivate: (taskId: string) => void;
}

/** One task. Drawn anew only when something about it changes, not when the table scrolls. */
export const TaskRow = memo(function TaskRow(props: TaskRowProps) {
  const { id, row, index, top, cells, timeZone, selected, active, onOpen, onToggle, onActivate } = props;
  const styles = useStyles2(getStyles);
  const { taskId } = row;
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      className={selected || active ? cx(styles.row, selected && styles.selected, active && styles.active) : styles.row}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onOpen(taskId)}
    >
      <div
        role="gridcell"
        aria-colindex={1}
        className={styles.check}
        onClick={(event) => {
          event.stopPropagation();
          onActivate(taskId);
          onToggle(taskId, event.shiftKey);
        }}
      >
        <input
          type="checkbox"
          tabIndex={-1}
          readOnly
          checked={selected}
          aria-label={t('tasks.select', 'Select task {{id}}', { id: taskId })}
        />
      </div>
      {cells.map(({ column, width, className }, place) => (
        <div
          key={column}
          role="gridcell"
          aria-colindex={place + 2}
          className={className}
          style={{ width }}
          onMouseEnter={showWhole}
        >
          {column === 'state' ? (
            <StateBadge state={row.state} orphaned={row.orphaned} />
          ) : (
            cellText(column, row, timeZone)
          )}
        </div>
      ))}
    </div>
  );
});

/**
 * The whole of a text that is cut, on hover. Not set with the text: a table that scrolls fast would have the styles of
 * every cell computed anew, since some style sheets ask for titles.
 */
function showWhole({ currentTarget: cell }: React.MouseEvent<HTMLElement>): void {
  cell.title = cell.scrollWidth > cell.clientWidth ? (cell.textContent ?? '') : '';
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    position: 'absolute',
    top: 0,
    left: 0,
    display: 'flex',
    width: '100%',
    height: ROW_HEIGHT,
    alignItems: 'center',
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    cursor: 'pointer',
    contain: 'layout style paint',
    '&:hover': { background: theme.colors.action.hover },
  }),
  selected: css({ background: theme.colors.action.selected }),
  active: css({ boxShadow: `inset 2px 0 0 ${theme.colors.primary.main}`, background: theme.colors.action.focus }),
  check: css({
    width: 36,
    flexShrink: 0,
    height: '100%',
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'center',
    input: { cursor: 'pointer', margin: 0, accentColor: theme.colors.primary.main },
  }),
  cell: css({
    flexShrink: 0,
    padding: theme.spacing(0, 1),
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  numeric: css({ textAlign: 'right', fontVariantNumeric: 'tabular-nums' }),
  mono: css({ fontFamily: theme.typography.fontFamilyMonospace }),
});
