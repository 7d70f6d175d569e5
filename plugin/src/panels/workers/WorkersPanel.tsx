import { css } from '@emotion/css';
import { type GrafanaTheme2, LoadingState, type PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { PanelDataErrorView } from '@grafana/runtime';
import { useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import { type Command, ConfirmCommand } from '../../shared/actions/ConfirmCommand';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import type { Target, Worker } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import { NoRows, Waiting } from '../../shared/ui/Answers';
import { errorOf } from '../../shared/ui/errorOf';
import type { LiveState } from '../../shared/ui/LiveBadge';
import { useArrival } from './useArrival';
import { type TableSort, VirtualTable } from '../../shared/ui/VirtualTable';
import { CommandMenu } from './CommandMenu';
import { WorkerDrawer } from './detail/WorkerDrawer';
import { matches, sortRows, targetOf, toWorkerRows, type WorkerRow } from './model';
import { Toolbar, TOOLBAR_HEIGHT } from './Toolbar';
import { WORKER_SORTS, type WorkerSort, type WorkersOptions } from './types';
import { useCommands } from './useCommands';
import { useRates } from './useRates';
import { useWorkerColumns } from './useWorkerColumns';

const NONE: ReadonlySet<string> = new Set();

interface Order {
  readonly command: Command;
  readonly target: Target;
}

/** Workers, what they do, and what can be done with them. */
export function WorkersPanel(props: PanelProps<WorkersOptions>) {
  const { id, data, options, fieldConfig, width, height, timeZone } = props;
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const commands = useCommands(options.actions ? source : undefined);
  const frame = frameOf(data.series, 'workers');
  const workers = useMemo(() => readRows<Worker>(frame), [frame]);
  // Between two answers nothing ages: that nobody asked makes no worker silent.
  const nowMs = useArrival(frame);
  const rates = useRates(data.series, workers);
  const all = useMemo(() => toWorkerRows(workers, nowMs), [workers, nowMs]);
  const [search, setSearch] = useState('');
  const [selected, setSelected] = useState(NONE);
  const [openWorker, setOpenWorker] = useState<string>();
  const [order, setOrder] = useState<Order>();
  const [chosen, setChosen] = useState<TableSort>();
  const sort = chosen ?? { column: options.sortBy, descending: options.descending };
  const kept = all.filter((row) => isKept(row, nowMs, options.hideOfflineAfterMinutes));
  const shown = sortRows(
    kept.filter((row) => matches(row, search)),
    toSort(sort.column),
    sort.descending,
    rates,
  );
  const chosenRows = shown.filter(({ hostname }) => selected.has(hostname));
  const isAll = chosenRows.length === 0;
  const orders = targetOf(isAll ? shown : chosenRows, isAll && shown.length === all.length);
  const columns = useWorkerColumns({
    ...{ rows: shown, rates, nowMs, timeZone, uid: source?.uid, range: data.timeRange.raw },
    selection: options.actions ? { selected, onSelect: setSelected } : undefined,
    onOpen: setOpenWorker,
    menu: options.actions ? menuOf : undefined,
  });

  if (all.length === 0) {
    if (data.state === LoadingState.Loading) {
      return <Waiting width={width} />;
    }
    return frame === undefined || data.state === LoadingState.Error ? (
      <PanelDataErrorView
        panelId={id}
        data={data}
        fieldConfig={fieldConfig}
        message={errorOf(data) ?? t('workers.no-frame', 'Choose the query "Workers" of a Celery data source.')}
      />
    ) : (
      <NoRows title={t('workers.empty', 'No worker has been seen yet.')} />
    );
  }

  const openRow = all.find(({ hostname }) => hostname === openWorker);
  return (
    <div style={{ width, height }} className={styles.panel}>
      <Toolbar
        rows={kept}
        live={frame?.meta?.custom?.['live'] as LiveState | undefined}
        search={search}
        onSearch={setSearch}
        width={width}
        selectedCount={chosenRows.length}
        orders={orders}
        commands={options.actions ? commands : undefined}
        onCommand={(command) => orders.target !== undefined && setOrder({ command, target: orders.target })}
      />
      {shown.length === 0 ? (
        <NoRows title={t('workers.no-match', 'No worker is like that.')} />
      ) : (
        <VirtualTable
          label={t('workers.table', 'Workers')}
          columns={columns}
          rows={shown}
          rowKey={({ hostname }) => hostname}
          width={width}
          height={height - TOOLBAR_HEIGHT}
          sort={sort}
          onSort={setChosen}
          onRow={({ hostname }) => setOpenWorker(hostname)}
          isSelected={({ hostname }) => selected.has(hostname)}
        />
      )}
      {openRow !== undefined && source !== undefined && (
        <WorkerDrawer
          row={openRow}
          source={source}
          commands={commands}
          nowMs={nowMs}
          range={data.timeRange.raw}
          timeZone={timeZone}
          onCommand={(command) => setOrder({ command, target: { workers: [openRow.hostname] } })}
          onClose={() => setOpenWorker(undefined)}
        />
      )}
      {order !== undefined && source !== undefined && (
        <ConfirmCommand source={source} {...order} onClose={() => setOrder(undefined)} />
      )}
    </div>
  );

  function menuOf(row: WorkerRow) {
    const { target } = targetOf([row], false);
    return (
      <span role="presentation" onClick={(event) => event.stopPropagation()}>
        <CommandMenu
          iconOnly
          commands={commands}
          label={t('workers.menu.one', 'Actions for {{hostname}}', { hostname: row.hostname })}
          disabledReason={
            target === undefined ? t('workers.menu.offline', 'It is offline: it would not hear it.') : undefined
          }
          onChoose={(command) => target !== undefined && setOrder({ command, target })}
        />
      </span>
    );
  }
}

function isKept({ status, lastHeartbeatMs = 0 }: WorkerRow, nowMs: number, minutes: number): boolean {
  return status !== 'offline' || minutes === 0 || nowMs - lastHeartbeatMs <= minutes * 60_000;
}

function toSort(column: string): WorkerSort {
  return WORKER_SORTS.find((one) => one === column) ?? 'hostname';
}

const getStyles = (_theme: GrafanaTheme2) => ({ panel: css({ overflow: 'hidden', position: 'relative' }) });
