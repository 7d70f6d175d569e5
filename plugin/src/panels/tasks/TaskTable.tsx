import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { cheapStyles } from '../../shared/ui/cheapStyles';
import { type ColumnChoice, layoutColumns, sum } from './columnModel';
import type { Row } from './held';
import { moveFocus } from './keys';
import { coverage, type Selection } from './selection';
import type { Sort } from './taskRows';
import { CHECKBOX_WIDTH, HEADER_HEIGHT, TableHeader } from './TableHeader';
import { ROW_HEIGHT, TaskRow, useCellLooks } from './TaskRow';
import { useColumns } from './useColumns';

/** Rows drawn beyond those in sight, so that a fast wheel does not outrun the drawing. */
const OVERSCAN = 4;
/** Rows left below when the next page is asked for. */
const MORE_BEFORE_END = 50;

export interface TaskTableProps {
  readonly rows: readonly Row[];
  /** How many there are in all; undefined where that is not known */
  readonly total: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly columns: readonly ColumnChoice[];
  readonly timeZone: TimeZone;
  readonly sort: Sort | undefined;
  readonly selection: Selection;
  readonly onSort: (sort: Sort) => void;
  readonly onColumns: (columns: readonly ColumnChoice[]) => void;
  readonly onOpen: (taskId: string) => void;
  readonly onToggle: (taskId: string, range: boolean) => void;
  readonly onToggleAll: () => void;
  /** Whether the first row is in sight */
  readonly onTop: (atTop: boolean) => void;
  readonly onEnd: (() => void) | undefined;
  /** Changes when the table is to go back to its first row */
  readonly toTop: number;
}

/** Any number of tasks as an ARIA grid; only the rows in sight are in the page. */
export function TaskTable(props: TaskTableProps) {
  const {
    rows,
    total,
    width,
    height,
    selection,
    onSort,
    onColumns,
    onOpen,
    onToggle,
    onToggleAll,
    onTop,
    onEnd,
    toTop,
  } = props;
  const styles = useStyles2(getStyles);
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const { columns, setColumns, move, told } = useColumns(props.columns, onColumns);
  const [active, setActive] = useState<string>();
  const widths = useMemo(() => layoutColumns(columns, width - CHECKBOX_WIDTH - SCROLLBAR), [columns, width]);
  const cells = useCellLooks(columns, widths);
  const tableWidth = CHECKBOX_WIDTH + sum(widths);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    scrollMargin: HEADER_HEIGHT,
    scrollPaddingStart: HEADER_HEIGHT,
    initialRect: { width, height },
  });
  const items = virtualizer.getVirtualItems();
  // What scrolls in takes over the elements of what scrolled out, which costs a fraction of new ones. While it scrolls
  // they stay where they are in the page; at rest they stand in the order of the rows, as readers expect it.
  const slots = Math.ceil((virtualizer.scrollRect?.height ?? height) / ROW_HEIGHT) + 1 + 2 * OVERSCAN;
  const drawn = virtualizer.isScrolling ? [...items].sort((a, b) => (a.index % slots) - (b.index % slots)) : items;
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (onEnd !== undefined && rows.length > 0 && last >= rows.length - MORE_BEFORE_END) {
      onEnd();
    }
  }, [last, rows.length, onEnd]);
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
  }, [toTop]);

  const covered = useMemo(
    () =>
      coverage(
        selection,
        rows.map(({ taskId }) => taskId),
      ),
    [selection, rows],
  );
  const activate = useCallback((taskId: string) => setActive(taskId), []);
  const open = useCallback(
    (taskId: string) => {
      setActive(taskId);
      onOpen(taskId);
    },
    [onOpen],
  );
  const focus = (index: number) => {
    setActive(rows[index]?.taskId);
    virtualizer.scrollToIndex(index);
  };
  const onKeyDown = (event: React.KeyboardEvent) => onKey(event, { ...props, active, focus });

  return (
    <>
      <div
        ref={scroller}
        className={styles.scroller}
        style={{ width, height: '100%' }}
        role="grid"
        aria-label={t('tasks.table', 'Tasks')}
        aria-rowcount={total === undefined ? -1 : total + 1}
        aria-colcount={columns.length + 1}
        aria-multiselectable
        aria-activedescendant={active === undefined ? undefined : `${id}${active}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={(event) => onTop(event.currentTarget.scrollTop < ROW_HEIGHT)}
      >
        <TableHeader
          columns={columns}
          widths={widths}
          tableWidth={tableWidth}
          sort={props.sort}
          covered={covered}
          onSort={onSort}
          onColumns={setColumns}
          onMove={move}
          onToggleAll={onToggleAll}
        />
        <div role="rowgroup" className={styles.body} style={{ height: virtualizer.getTotalSize(), width: tableWidth }}>
          {drawn.map(({ index, start }) => {
            const row = rows[index];
            return row === undefined ? null : (
              <TaskRow
                key={index % slots}
                id={`${id}${row.taskId}`}
                row={row}
                index={index}
                top={start - HEADER_HEIGHT}
                cells={cells}
                timeZone={props.timeZone}
                selected={selection.ids.has(row.taskId)}
                active={row.taskId === active}
                onOpen={open}
                onToggle={onToggle}
                onActivate={activate}
              />
            );
          })}
        </div>
      </div>
      <span role="status" className={styles.told}>
        {told}
      </span>
    </>
  );
}

interface KeyPlace extends Pick<TaskTableProps, 'rows' | 'height' | 'onOpen' | 'onToggle' | 'onToggleAll'> {
  /** Id of the row that has the focus */
  readonly active: string | undefined;
  readonly focus: (index: number) => void;
}

/** What a key does in the table itself; all others are the browser's. */
function onKey(event: React.KeyboardEvent, place: KeyPlace): void {
  if (event.target !== event.currentTarget) {
    return;
  }
  const { rows, height, active, focus, onOpen, onToggle, onToggleAll } = place;
  const index = rows.findIndex(({ taskId }) => taskId === active);
  const page = Math.max(1, Math.floor((height - HEADER_HEIGHT) / ROW_HEIGHT) - 1);
  const next = moveFocus(event.key, index, rows.length, page);
  const [current, row] = [rows[index]?.taskId, next === undefined ? undefined : rows[next]];
  if (next !== undefined) {
    if (row !== undefined) {
      focus(next);
      if (event.shiftKey) {
        onToggle(row.taskId, true);
      }
    }
  } else if (event.key === 'Enter' && current !== undefined) {
    onOpen(current);
  } else if (event.key === ' ' && current !== undefined) {
    onToggle(current, event.shiftKey);
  } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
    onToggleAll();
  } else {
    return;
  }
  event.preventDefault();
}

/** Kept free, so that a table that fits does not scroll sideways once it scrolls down. */
const SCROLLBAR = 16;

const getStyles = (theme: GrafanaTheme2) => ({
  scroller: css({
    overflow: 'auto',
    position: 'relative',
    // What happens inside never makes the page around it be laid out anew.
    contain: 'strict',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: -2 },
  }),
  body: css({ position: 'relative', ...cheapStyles }),
  told: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
});
