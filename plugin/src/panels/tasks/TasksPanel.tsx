import { css } from '@emotion/css';
import { type GrafanaTheme2, LoadingState, type PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, useStyles2 } from '@grafana/ui';
import React, { useCallback, useMemo, useState } from 'react';
import { AgentError } from '../../shared/client';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import type { BulkKind } from '../../shared/bulk/bulkFlow';
import { BulkDialog } from '../../shared/bulk/BulkDialog';
import { TaskDrawer } from '../../shared/task/TaskDrawer';
import { Failed, NoRows, Waiting } from '../../shared/ui/Answers';
import { Nothing } from '../../shared/ui/Nothing';
import { STATES } from '../../shared/ui/stateLook';
import { type ColumnChoice, chosenColumns } from './columnModel';
import type { TasksPanelOptions } from './options';
import { coverage, extend, NOTHING, selectAll, selectWhole, toggle } from './selection';
import { SelectionBar, selectionText } from './SelectionBar';
import { isNarrowed, NO_NARROWING, type Narrowing, readFound, type Sort, USUAL_SORT } from './taskRows';
import { TaskTable } from './TaskTable';
import { Toolbar } from './Toolbar';
import { useHold } from './useHold';
import { useTaskRows } from './useTaskRows';

/** Tasks as a live table: search, details, actions on one or many. */
export function TasksPanel(props: PanelProps<TasksPanelOptions>) {
  const { id, data, fieldConfig, width, height } = props;
  const found = useMemo(() => readFound(data), [data]);
  if (found === undefined && data.state !== LoadingState.Loading) {
    const missing = t(
      'tasks.no-frame',
      'This panel shows tasks. Choose a Celery data source, and “Tasks” as the kind of the query.',
    );
    return <Nothing {...{ id, data, fieldConfig, width, missing }} />;
  }
  return (
    <div style={{ height, position: 'relative' }}>
      <Tasks {...props} found={found} />
    </div>
  );
}

function Tasks({
  id,
  data,
  options,
  width,
  height,
  timeZone,
  onOptionsChange,
  found,
}: PanelProps<TasksPanelOptions> & { found: ReturnType<typeof readFound> }) {
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const [narrowing, setNarrowing] = useState<Narrowing>(NO_NARROWING);
  const [selection, setSelection] = useState(NOTHING);
  const [atTop, setAtTop] = useState(true);
  const [toTop, setToTop] = useState(0);
  const [opened, setOpened] = useState<string>();
  const [bulk, setBulk] = useState<BulkKind>();
  const rangeKey = JSON.stringify(data.timeRange.raw);
  const answer = useTaskRows(id, found, source, narrowing, rangeKey);
  const question = `${JSON.stringify(narrowing)} ${rangeKey} ${toTop}`;
  const { rows, fresh } = useHold(answer.rows, !atTop || selection.ids.size > 0, question);
  const shown = useMemo(() => rows.map(({ taskId }) => taskId), [rows]);
  const columns = useMemo(() => chosenColumns(options.columns), [options.columns]);
  const isOwn = isNarrowed(narrowing);
  const sort = narrowing.sort ?? found?.sort ?? (isOwn || found === undefined ? USUAL_SORT : undefined);
  const searchProblem =
    answer.error instanceof AgentError && answer.error.field === 'search' ? answer.error.message : undefined;
  const customStates = useMemo(
    () => [...new Set(answer.rows.map(({ state }) => state))].filter((state) => !STATES.includes(state)),
    [answer.rows],
  );

  const narrow = useCallback((next: Narrowing) => {
    setNarrowing(next);
    setSelection(NOTHING);
    setToTop((count) => count + 1);
  }, []);
  const onSort = useCallback((next: Sort) => narrow({ ...narrowing, sort: next }), [narrow, narrowing]);
  const onToggle = useCallback(
    (taskId: string, range: boolean) =>
      setSelection((before) => (range ? extend(before, taskId, shown) : toggle(before, taskId))),
    [shown],
  );
  const onToggleAll = useCallback(
    () => setSelection((before) => (coverage(before, shown) === 'all' ? NOTHING : selectAll(shown))),
    [shown],
  );
  const setColumns = useCallback(
    (next: readonly ColumnChoice[]) => onOptionsChange({ ...options, columns: next }),
    [options, onOptionsChange],
  );
  const loading = answer.loading || data.state === LoadingState.Loading;

  return (
    <div className={styles.panel}>
      {loading && <Waiting width={width} />}
      {options.showToolbar && (
        <Toolbar
          {...{ source, narrowing, searchProblem, customStates, sort }}
          onNarrow={narrow}
          shown={rows.length}
          total={answer.total}
          live={found?.live}
          filter={answer.filter}
          columns={{ columns, onChange: setColumns }}
        />
      )}
      {selection.ids.size > 0 && (
        <SelectionBar
          selection={selection}
          rows={rows}
          total={answer.total}
          onWhole={() => setSelection(selectWhole(shown))}
          onClear={() => setSelection(NOTHING)}
          onBulk={setBulk}
        />
      )}
      {answer.error !== undefined && searchProblem === undefined && (
        <Failed error={answer.error} onRetry={() => narrow({ ...narrowing })} />
      )}
      <div className={styles.table}>
        {rows.length === 0 && !loading ? (
          <Empty narrowed={isOwn} problem={searchProblem} onClear={() => narrow(NO_NARROWING)} />
        ) : (
          <TaskTable
            {...{ rows, width, height, columns, timeZone, sort, selection, onToggle, onToggleAll, toTop }}
            total={
              answer.total?.exact === true
                ? answer.total.count
                : answer.loadMore === undefined
                  ? rows.length
                  : undefined
            }
            onSort={onSort}
            onColumns={setColumns}
            onOpen={setOpened}
            onTop={setAtTop}
            onEnd={answer.loadMore}
          />
        )}
        {fresh > 0 && (
          <Button className={styles.fresh} size="sm" icon="arrow-up" onClick={() => setToTop((count) => count + 1)}>
            {t('tasks.fresh', '{{count}} new', { count: fresh })}
          </Button>
        )}
      </div>
      {opened !== undefined && source !== undefined && (
        <TaskDrawer
          source={source}
          taskId={opened}
          range={data.timeRange}
          timeZone={timeZone}
          onOpen={setOpened}
          onClose={() => setOpened(undefined)}
        />
      )}
      {bulk !== undefined && source !== undefined && (
        <BulkDialog
          source={source}
          kind={bulk}
          filter={selection.whole ? answer.filter : { ids: [...selection.ids] }}
          about={selectionText(selection, answer.total)}
          onClose={() => setBulk(undefined)}
        />
      )}
    </div>
  );
}

function Empty({
  narrowed,
  problem,
  onClear,
}: {
  readonly narrowed: boolean;
  readonly problem: string | undefined;
  readonly onClear: () => void;
}) {
  if (!narrowed) {
    return (
      <NoRows title={t('tasks.none', 'No tasks in this time range')}>
        {t(
          'tasks.none-why',
          'Widen the time range or the filters, or check that the workers send events (celery worker -E).',
        )}
      </NoRows>
    );
  }
  return (
    <NoRows title={problem ?? t('tasks.none-narrowed', 'No task matches the search and the states chosen')}>
      <Button variant="secondary" size="sm" onClick={onClear}>
        {t('tasks.clear-search', 'Clear search and states')}
      </Button>
    </NoRows>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({ display: 'flex', flexDirection: 'column', height: '100%', overflow: 'hidden' }),
  table: css({ position: 'relative', flex: '1 1 auto', minHeight: 0 }),
  fresh: css({
    position: 'absolute',
    top: 40,
    left: '50%',
    transform: 'translateX(-50%)',
    zIndex: 2,
    boxShadow: theme.shadows.z2,
  }),
});
