import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useRef } from 'react';
import { cheapStyles } from './cheapStyles';

export interface TableColumn<Row> {
  readonly id: string;
  readonly title: string;
  /** What the title means, on hover */
  readonly hint?: string;
  /** Least width, px */
  readonly minWidth: number;
  /** Share of the room that is left; default 0 */
  readonly grow?: number;
  /** Goes when there is no room, the highest first; default: it stays */
  readonly rank?: number;
  readonly align?: 'end';
  /** Its title is a button that sorts */
  readonly sortable?: boolean;
  readonly header?: React.ReactNode;
  readonly cell: (row: Row) => React.ReactNode;
}

export interface TableSort {
  readonly column: string;
  readonly descending: boolean;
}

interface VirtualTableProps<Row> {
  readonly label: string;
  readonly columns: ReadonlyArray<TableColumn<Row>>;
  /** In the order in which they are shown */
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly width: number;
  readonly height: number;
  readonly sort?: TableSort;
  readonly onSort?: (sort: TableSort) => void;
  /** A click on the row; a button in it must do the same for the keyboard */
  readonly onRow?: (row: Row) => void;
  readonly isSelected?: (row: Row) => boolean;
}

export const ROW_HEIGHT = 36;
const HEADER_HEIGHT = 32;

/**
 * A table of any length: only the rows on the screen are drawn. Columns that say less go when there is no room for them;
 * narrower than the rest it scrolls sideways.
 */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, rows, rowKey, width, height, onRow, isSelected } = props;
  const styles = useStyles2(getStyles);
  const scrollRef = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT,
    initialRect: { width, height },
    overscan: 10,
  });
  const columns = fitting(props.columns, width);
  const gridTemplateColumns = columns.map(({ minWidth, grow = 0 }) => trackOf(minWidth, grow)).join(' ');
  return (
    <div
      ref={scrollRef}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      className={styles.scroll}
      style={{ width, height }}
    >
      <div className={styles.inner}>
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.header} style={{ gridTemplateColumns }}>
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row === undefined ? null : (
              <div
                key={rowKey(row)}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={isSelected?.(row)}
                className={cx(
                  styles.row,
                  onRow !== undefined && styles.clickable,
                  isSelected?.(row) && styles.selected,
                )}
                style={{ gridTemplateColumns, transform: `translateY(${start}px)` }}
                onClick={onRow === undefined ? undefined : () => onRow(row)}
              >
                {columns.map(({ id, align, cell }) => (
                  <div key={id} role="cell" className={cx(styles.cell, align === 'end' && styles.end)}>
                    {cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Those for which there is room. */
export function fitting<Row>(columns: ReadonlyArray<TableColumn<Row>>, width: number): Array<TableColumn<Row>> {
  const kept = [...columns];
  for (let left = width - sum(kept); left < 0; left = width - sum(kept)) {
    const most = Math.max(...kept.map(({ rank = 0 }) => rank));
    if (most <= 0) {
      break;
    }
    kept.splice(
      kept.findIndex(({ rank }) => rank === most),
      1,
    );
  }
  return kept;
}

const sum = (columns: ReadonlyArray<{ readonly minWidth: number }>): number =>
  columns.reduce((total, { minWidth }) => total + minWidth, 0);

const trackOf = (minWidth: number, grow: number): string =>
  grow > 0 ? `minmax(${minWidth}px, ${grow}fr)` : `${minWidth}px`;

interface HeaderCellProps<Row> {
  readonly column: TableColumn<Row>;
  readonly sort?: TableSort;
  readonly onSort?: (sort: TableSort) => void;
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderCellProps<Row>) {
  const styles = useStyles2(getStyles);
  const { id, title, hint, align, sortable = false, header } = column;
  const isSorted = sort?.column === id;
  const direction = sort?.descending === true ? 'descending' : 'ascending';
  const content = sortable ? (
    <button
      type="button"
      className={styles.sorter}
      onClick={() => onSort?.({ column: id, descending: isSorted ? !sort.descending : align === 'end' })}
    >
      {title}
      {isSorted && <Icon name={sort.descending ? 'arrow-down' : 'arrow-up'} size="sm" />}
    </button>
  ) : (
    (header ?? title)
  );
  return (
    <div
      role="columnheader"
      aria-sort={isSorted ? direction : undefined}
      title={hint}
      className={cx(styles.headerCell, align === 'end' && styles.end)}
    >
      {content}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroll: css({ overflow: 'auto', position: 'relative' }),
  inner: css({ minWidth: 'min-content' }),
  head: css({ position: 'sticky', top: 0, zIndex: 2 }),
  header: css({
    display: 'grid',
    height: HEADER_HEIGHT,
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  headerCell: css({
    display: 'flex',
    alignItems: 'center',
    padding: theme.spacing(0, 1),
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
  sorter: css({
    display: 'inline-flex',
    alignItems: 'center',
    padding: 0,
    border: 'none',
    background: 'none',
    color: 'inherit',
    font: 'inherit',
    '&:hover': { color: theme.colors.text.primary },
  }),
  body: css({ position: 'relative', ...cheapStyles }),
  row: css({
    position: 'absolute',
    top: 0,
    left: 0,
    width: '100%',
    display: 'grid',
    height: ROW_HEIGHT,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    '&:hover': { background: theme.colors.action.hover },
  }),
  clickable: css({ cursor: 'pointer' }),
  selected: css({ background: theme.colors.action.selected }),
  cell: css({
    padding: theme.spacing(0, 1),
    lineHeight: `${ROW_HEIGHT - 1}px`,
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    textOverflow: 'ellipsis',
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
  }),
  end: css({ justifyContent: 'flex-end', textAlign: 'right' }),
});
