import { css } from '@emotion/css';
import { type GrafanaTheme2, type PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import { type Command, ConfirmCommand } from '../../shared/actions/ConfirmCommand';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import type { Target, Worker } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import type { LiveState } from '../../shared/ui/LiveBadge';
import { useArrival } from './useArrival';
import { NoRows } from '../../shared/ui/Answers';
import { Nothing } from '../../shared/ui/Nothing';
import { VirtualTable } from '../../shared/ui/VirtualTable';
import { CommandMenu } from './CommandMenu';
import { WorkerDrawer } from './detail/WorkerDrawer';
import { targetOf, toWorkerRows, type WorkerRow } from './model';
import { Toolbar, TOOLBAR_HEIGHT } from './Toolbar';
import type { WorkersOptions } from './types';
import { type CommandTable, useCommands } from './useCommands';
import { useRates } from './useRates';
import { useView } from './useView';
import { useWorkerColumns } from './useWorkerColumns';

interface Order {
  readonly command: Command;
  readonly target: Target;
}

/** Workers, what they do, and what can be done with them. */
export function WorkersPanel(props: PanelProps<WorkersOptions>) {
  const { data, options, width, height, timeZone } = props;
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const commands = useCommands(options.actions ? source : undefined);
  const frame = frameOf(data.series, 'workers');
  const workers = useMemo(() => readRows<Worker>(frame), [frame]);
  // Between two answers nothing ages: that nobody asked makes no worker silent.
  const nowMs = useArrival(frame);
  const rates = useRates(data.series, workers);
  const all = useMemo(() => toWorkerRows(workers, nowMs), [workers, nowMs]);
  const view = useView(all, rates, options, nowMs);
  const [openWorker, setOpenWorker] = useState<string>();
  const [order, setOrder] = useState<Order>();
  const { shown, orders, selected } = view;
  const columns = useWorkerColumns({
    ...{ rows: shown, rates, nowMs, timeZone, uid: source?.uid, range: data.timeRange.raw },
    selection: options.actions ? { selected, onSelect: view.setSelected } : undefined,
    onOpen: setOpenWorker,
    menu: options.actions ? (row) => <RowMenu row={row} commands={commands} onOrder={setOrder} /> : undefined,
  });
  if (all.length === 0) {
    return (
      <Nothing
        {...props}
        missing={t('workers.no-frame', 'Choose the query "Workers" of a Celery data source.')}
        empty={frame === undefined ? undefined : t('workers.empty', 'No worker has been seen yet.')}
      />
    );
  }
  const openRow = all.find(({ hostname }) => hostname === openWorker);
  return (
    <div style={{ width, height }} className={styles.panel}>
      <Toolbar
        {...view}
        rows={view.kept}
        live={frame?.meta?.custom?.['live'] as LiveState | undefined}
        width={width}
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
          sort={view.sort}
          onSort={view.setSort}
          onRow={({ hostname }) => setOpenWorker(hostname)}
          isSelected={({ hostname }) => selected.has(hostname)}
        />
      )}
      {openRow !== undefined && source !== undefined && (
        <WorkerDrawer
          {...{ row: openRow, source, commands, nowMs, timeZone }}
          range={data.timeRange.raw}
          onCommand={(command) => setOrder({ command, target: { workers: [openRow.hostname] } })}
          onClose={() => setOpenWorker(undefined)}
        />
      )}
      {order !== undefined && source !== undefined && (
        <ConfirmCommand source={source} {...order} onClose={() => setOrder(undefined)} />
      )}
    </div>
  );
}

interface RowMenuProps {
  readonly row: WorkerRow;
  readonly commands: CommandTable;
  readonly onOrder: (order: Order) => void;
}

function RowMenu({ row, commands, onOrder }: RowMenuProps) {
  const { target } = targetOf([row], false);
  const offline = t('workers.menu.offline', 'It is offline: it would not hear it.');
  return (
    <span role="presentation" onClick={(event) => event.stopPropagation()}>
      <CommandMenu
        iconOnly
        commands={commands}
        label={t('workers.menu.one', 'Actions for {{hostname}}', { hostname: row.hostname })}
        disabledReason={target === undefined ? offline : undefined}
        onChoose={(command) => target !== undefined && onOrder({ command, target })}
      />
    </span>
  );
}

const getStyles = (_theme: GrafanaTheme2) => ({ panel: css({ overflow: 'hidden', position: 'relative' }) });
