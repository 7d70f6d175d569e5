import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Icon, useStyles2 } from '@grafana/ui';
import React, { memo, useEffect, useRef } from 'react';
import { type ColumnChoice, type ColumnId, resizeColumn, SORT_KEYS, WIDTH_STEP } from './columnModel';
import { columnTitle } from './columns';
import type { coverage } from './selection';
import type { Sort } from './taskRows';

export const HEADER_HEIGHT = 32;

interface TableHeaderProps {
  readonly columns: readonly ColumnChoice[];
  readonly widths: readonly number[];
  readonly tableWidth: number;
  readonly sort: Sort;
  /** How much of what is shown is chosen */
  readonly covered: ReturnType<typeof coverage>;
  readonly onSort: (sort: Sort) => void;
  /** `done` false: still being dragged */
  readonly onColumns: (columns: readonly ColumnChoice[], done: boolean) => void;
  readonly onToggleAll: () => void;
}

export const TableHeader = memo(function TableHeader(props: TableHeaderProps) {
  const { columns, widths, tableWidth, sort, covered, onSort, onColumns, onToggleAll } = props;
  const styles = useStyles2(getStyles);
  return (
    <div role="rowgroup" className={styles.header} style={{ width: tableWidth }}>
      <div role="row" aria-rowindex={1} className={styles.row}>
        <div role="columnheader" aria-colindex={1} className={styles.check}>
          <AllCheckbox state={covered} onToggle={onToggleAll} />
        </div>
        {columns.map(({ id }, place) => (
          <HeaderCell
            key={id}
            id={id}
            place={place}
            width={widths[place] ?? 0}
            sort={sort}
            onSort={onSort}
            onWidth={(width, done) => onColumns(resizeColumn(columns, id, width), done)}
          />
        ))}
      </div>
    </div>
  );
});

function AllCheckbox({ state, onToggle }: { readonly state: 'none' | 'some' | 'all'; readonly onToggle: () => void }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current !== null) {
      box.current.indeterminate = state === 'some';
    }
  }, [state]);
  return (
    <input
      ref={box}
      type="checkbox"
      checked={state === 'all'}
      onChange={onToggle}
      aria-label={t('tasks.select-all', 'Select all tasks shown')}
    />
  );
}

interface HeaderCellProps {
  readonly id: ColumnId;
  readonly place: number;
  readonly width: number;
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly onWidth: (width: number, done: boolean) => void;
}

function HeaderCell({ id, place, width, sort, onSort, onWidth }: HeaderCellProps) {
  const styles = useStyles2(getStyles);
  const key = SORT_KEYS[id];
  const isSorted = key !== undefined && key === sort.key;
  const direction = sort.descending ? 'descending' : 'ascending';
  const title = columnTitle(id);
  return (
    <div
      role="columnheader"
      aria-colindex={place + 2}
      aria-sort={key === undefined ? undefined : isSorted ? direction : 'none'}
      className={styles.cell}
      style={{ width }}
    >
      {key === undefined ? (
        <span className={styles.title} title={title}>
          {title}
        </span>
      ) : (
        <button
          type="button"
          className={styles.title}
          title={title}
          onClick={() => onSort({ key, descending: isSorted ? !sort.descending : true })}
        >
          {title}
          {isSorted && <Icon name={sort.descending ? 'arrow-down' : 'arrow-up'} size="sm" />}
        </button>
      )}
      <ResizeHandle title={title} width={width} onWidth={onWidth} />
    </div>
  );
}

function ResizeHandle({
  title,
  width,
  onWidth,
}: {
  readonly title: string;
  readonly width: number;
  readonly onWidth: (width: number, done: boolean) => void;
}) {
  const styles = useStyles2(getStyles);
  const from = useRef<{ readonly x: number; readonly width: number }>();
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('tasks.width', 'Width of {{column}}', { column: title })}
      aria-valuenow={width}
      tabIndex={0}
      className={styles.handle}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowLeft' ? -WIDTH_STEP : event.key === 'ArrowRight' ? WIDTH_STEP : 0;
        if (by !== 0) {
          event.preventDefault();
          onWidth(width + by, true);
        }
      }}
      onPointerDown={(event) => {
        from.current = { x: event.clientX, width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) =>
        from.current !== undefined && onWidth(from.current.width + event.clientX - from.current.x, false)
      }
      onPointerUp={(event) => {
        if (from.current !== undefined && event.clientX !== from.current.x) {
          onWidth(from.current.width + event.clientX - from.current.x, true);
        }
        from.current = undefined;
      }}
      onPointerCancel={() => {
        from.current = undefined;
      }}
    />
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  header: css({
    position: 'sticky',
    top: 0,
    zIndex: 1,
    minWidth: '100%',
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.medium}`,
  }),
  row: css({ display: 'flex', height: HEADER_HEIGHT, alignItems: 'center' }),
  check: css({
    width: 36,
    flexShrink: 0,
    display: 'flex',
    justifyContent: 'center',
    input: { margin: 0, accentColor: theme.colors.primary.main },
  }),
  cell: css({ position: 'relative', flexShrink: 0, display: 'flex', alignItems: 'center', height: '100%' }),
  title: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    maxWidth: '100%',
    padding: theme.spacing(0, 1),
    border: 'none',
    background: 'none',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    color: theme.colors.text.secondary,
    'button&:hover': { color: theme.colors.text.primary },
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: -2 },
  }),
  handle: css({
    position: 'absolute',
    top: 4,
    bottom: 4,
    right: -3,
    width: 7,
    cursor: 'col-resize',
    touchAction: 'none',
    zIndex: 1,
    '&::after': {
      content: '""',
      position: 'absolute',
      left: 3,
      top: 0,
      bottom: 0,
      width: 1,
      background: theme.colors.border.weak,
    },
    '&:hover::after, &:focus-visible::after': { width: 3, left: 2, background: theme.colors.primary.main },
    '&:focus-visible': { outline: 'none' },
  }),
});
