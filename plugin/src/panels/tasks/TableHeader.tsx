import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Icon, useStyles2 } from '@grafana/ui';
import React, { memo, useEffect, useRef } from 'react';
import { type ColumnChoice, type ColumnId, resizeColumn, SORT_KEYS, sum } from './columnModel';
import { columnTitle, NUMERIC } from './columns';
import { ResizeHandle } from './ResizeHandle';
import type { coverage } from './selection';
import type { Sort } from './taskRows';
import { useHeaderDrag } from './useHeaderDrag';

export const HEADER_HEIGHT = 32;
export const CHECKBOX_WIDTH = 36;

interface TableHeaderProps {
  readonly columns: readonly ColumnChoice[];
  readonly widths: readonly number[];
  readonly tableWidth: number;
  readonly sort: Sort | undefined;
  /** How much of what is shown is chosen */
  readonly covered: ReturnType<typeof coverage>;
  readonly onSort: (sort: Sort) => void;
  /** `done` false: still being dragged */
  readonly onColumns: (columns: readonly ColumnChoice[], done: boolean) => void;
  /** By places towards the start (negative) or the end */
  readonly onMove: (id: ColumnId, by: number) => void;
  readonly onToggleAll: () => void;
}

export const TableHeader = memo(function TableHeader(props: TableHeaderProps) {
  const { columns, widths, tableWidth, sort, covered, onSort, onColumns, onMove, onToggleAll } = props;
  const styles = useStyles2(getStyles);
  const { drag, handlers } = useHeaderDrag({ columns, widths, left: CHECKBOX_WIDTH, onMove });
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
            dragged={drag?.id === id}
            mover={handlers(id)}
          />
        ))}
        {drag !== undefined && <DropLine left={CHECKBOX_WIDTH + sum(widths.slice(0, drag.gap))} />}
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

/** Where the header would come to stand that is being dragged. */
function DropLine({ left }: { readonly left: number }) {
  const styles = useStyles2(getStyles);
  return <div aria-hidden className={styles.drop} style={{ left }} />;
}

interface HeaderCellProps {
  readonly id: ColumnId;
  readonly place: number;
  readonly width: number;
  readonly sort: Sort | undefined;
  readonly onSort: (sort: Sort) => void;
  readonly onWidth: (width: number, done: boolean) => void;
  readonly dragged: boolean;
  /** What the title does to move its column */
  readonly mover: ReturnType<ReturnType<typeof useHeaderDrag>['handlers']>;
}

function HeaderCell({ id, place, width, sort, onSort, onWidth, dragged, mover }: HeaderCellProps) {
  const styles = useStyles2(getStyles);
  const key = SORT_KEYS[id];
  const sorted = key !== undefined && key === sort?.key ? sort : undefined;
  const direction = sorted?.descending === true ? 'descending' : 'ascending';
  const title = columnTitle(id);
  const titleProps = {
    ...mover,
    title,
    className: cx(styles.title, NUMERIC.has(id) && styles.numeric, dragged && styles.dragged),
    'aria-keyshortcuts': 'Shift+ArrowLeft Shift+ArrowRight',
  };
  return (
    <div
      role="columnheader"
      aria-colindex={place + 2}
      aria-sort={key === undefined ? undefined : sorted === undefined ? 'none' : direction}
      className={styles.cell}
      style={{ width }}
    >
      {key === undefined ? (
        <span {...titleProps} tabIndex={0}>
          {title}
        </span>
      ) : (
        <button
          {...titleProps}
          type="button"
          onClick={() => onSort({ key, descending: sorted === undefined || !sorted.descending })}
        >
          {title}
          {sorted !== undefined && <Icon name={sorted.descending ? 'arrow-down' : 'arrow-up'} size="sm" />}
        </button>
      )}
      <ResizeHandle title={title} width={width} onWidth={onWidth} />
    </div>
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
    width: CHECKBOX_WIDTH,
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
    width: '100%',
    height: '100%',
    padding: theme.spacing(0, 1),
    border: 'none',
    background: 'none',
    userSelect: 'none',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    color: theme.colors.text.secondary,
    'button&:hover': { color: theme.colors.text.primary },
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: -2 },
  }),
  numeric: css({ justifyContent: 'flex-end' }),
  dragged: css({ cursor: 'grabbing', opacity: 0.5 }),
  drop: css({
    position: 'absolute',
    top: 0,
    bottom: 0,
    width: 3,
    marginLeft: -2,
    zIndex: 1,
    background: theme.colors.primary.main,
  }),
});
