import { formattedValueToString, getValueFormat, type RawTimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { Checkbox } from '@grafana/ui';
import React from 'react';
import { DASHBOARD_VARIABLES } from '../../shared/ids';
import { BoardLink } from '../../shared/ui/BoardLink';
import { formatAgo, formatCount, UNKNOWN } from '../../shared/ui/format';
import type { TableColumn } from '../../shared/ui/VirtualTable';
import type { WorkerRow } from './model';
import { StatusBadge } from './StatusBadge';
import { WorkerName } from './WorkerName';

export interface Selection {
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (hostnames: ReadonlySet<string>) => void;
}

interface ColumnInput {
  readonly rows: readonly WorkerRow[];
  readonly rates: ReadonlyMap<string, number>;
  readonly nowMs: number;
  readonly timeZone: TimeZone;
  /** Of the data source, for links */
  readonly uid: string | undefined;
  readonly range: RawTimeRange;
  /** Undefined: the panel only shows */
  readonly selection: Selection | undefined;
  readonly onOpen: (hostname: string) => void;
  /** The menu of one worker */
  readonly menu: ((row: WorkerRow) => React.ReactNode) | undefined;
}

type Column = TableColumn<WorkerRow>;

/** All columns; those with the highest `rank` go first where there is no room. */
export function useWorkerColumns(input: ColumnInput): Column[] {
  const { nowMs, timeZone, selection, onOpen, menu } = input;
  return [
    ...(selection === undefined ? [] : [selectColumn(input.rows, selection)]),
    {
      ...{ id: 'hostname', title: t('workers.column.name', 'Worker'), minWidth: 140, grow: 4, sortable: true },
      cell: (row) => <WorkerName row={row} onOpen={onOpen} />,
    },
    {
      ...{ id: 'status', title: t('workers.column.status', 'Status'), minWidth: 142, grow: 2, sortable: true },
      cell: (row) => <StatusBadge row={row} nowMs={nowMs} timeZone={timeZone} />,
    },
    { id: 'pool', title: t('workers.column.pool', 'Pool'), minWidth: 108, grow: 2, rank: 3, cell: poolText },
    ...numberColumns(input),
    queuesColumn(input),
    {
      ...{ id: 'prefetch', title: t('workers.column.prefetch', 'Prefetch'), minWidth: 76, align: 'end', rank: 8 },
      hint: t('workers.column.prefetch-hint', 'Most messages it holds unacknowledged'),
      cell: ({ prefetch }) => (prefetch === 0 ? t('workers.no-limit', 'no limit') : formatCount(prefetch)),
    },
    {
      ...{ id: 'softwareVersion', title: t('workers.column.version', 'Version'), minWidth: 84, rank: 9 },
      cell: ({ software, softwareVersion, system }) => (
        <span title={[software, softwareVersion, system].filter((text) => text !== undefined).join(' ')}>
          {softwareVersion ?? UNKNOWN}
        </span>
      ),
    },
    {
      ...{ id: 'heartbeat', title: t('workers.column.heartbeat', 'Heartbeat'), minWidth: 92, rank: 10 },
      cell: ({ lastHeartbeatMs }) => formatAgo(lastHeartbeatMs, nowMs),
    },
    ...(menu === undefined ? [] : [{ id: 'menu', title: '', minWidth: 40, cell: menu }]),
  ];
}

function numberColumns({ rates }: ColumnInput): Column[] {
  const column = (id: string, minWidth: number, rank: number, texts: readonly [title: string, hint: string]) => ({
    ...{ id, title: texts[0], hint: texts[1], minWidth, rank, grow: 1, align: 'end' as const, sortable: true },
  });
  return [
    {
      ...column('active', 70, 0, [
        t('workers.column.active', 'Active'),
        t('workers.column.active-hint', 'Tasks that run, of those that can at once'),
      ]),
      cell: activeText,
    },
    {
      ...column('processed', 90, 1, [
        t('workers.column.processed', 'Processed'),
        t('workers.column.processed-hint', 'Tasks since its start'),
      ]),
      cell: ({ processed }) => formatCount(processed),
    },
    {
      ...column('rate', 76, 4, [
        t('workers.column.rate', 'Tasks /s'),
        t('workers.column.rate-hint', 'Over the last minute'),
      ]),
      cell: ({ hostname }) => rates.get(hostname)?.toFixed(1) ?? UNKNOWN,
    },
    {
      ...column('load', 66, 5, [
        t('workers.column.load', 'Load'),
        t('workers.column.load-hint', 'Load average of its host over 1, 5 and 15 minutes'),
      ]),
      cell: loadText,
    },
    {
      ...column('maxRssBytes', 84, 2, [
        t('workers.column.memory', 'Memory'),
        t('workers.column.memory-hint', 'Most that its main process has used so far'),
      ]),
      cell: ({ maxRssBytes }) => bytesText(maxRssBytes),
    },
    {
      ...column('cpuSeconds', 76, 7, [
        t('workers.column.cpu', 'CPU'),
        t('workers.column.cpu-hint', 'Time of its main process'),
      ]),
      cell: cpuText,
    },
  ];
}

function queuesColumn({ uid, range }: ColumnInput): Column {
  return {
    ...{ id: 'queues', title: t('workers.column.queues', 'Queues'), minWidth: 110, grow: 3, rank: 6 },
    cell: ({ queues }) =>
      queues === undefined ? (
        UNKNOWN
      ) : queues.length === 0 ? (
        t('workers.no-queues', 'none')
      ) : (
        <span title={queues.join('\n')}>
          {queues.map((queue, index) => (
            <React.Fragment key={queue}>
              {index > 0 && ', '}
              <BoardLink uid={uid} board="queues" variables={{ [DASHBOARD_VARIABLES.queue]: queue }} range={range}>
                {queue}
              </BoardLink>
            </React.Fragment>
          ))}
        </span>
      ),
  };
}

function selectColumn(rows: readonly WorkerRow[], { selected, onSelect }: Selection): Column {
  const count = rows.filter(({ hostname }) => selected.has(hostname)).length;
  const all = rows.length > 0 && count === rows.length;
  const toggle = (hostname: string) => {
    const next = new Set(selected);
    if (!next.delete(hostname)) {
      next.add(hostname);
    }
    onSelect(next);
  };
  return {
    id: 'select',
    title: t('workers.select', 'Select'),
    minWidth: 40,
    header: (
      <Checkbox
        aria-label={t('workers.select-all', 'Select all shown')}
        value={all}
        indeterminate={count > 0 && !all}
        onChange={() => onSelect(new Set(all ? [] : rows.map(({ hostname }) => hostname)))}
      />
    ),
    cell: ({ hostname }) => (
      // The row opens the worker; a click that misses the box by a little must not.
      <span role="presentation" onClick={(event) => event.stopPropagation()}>
        <Checkbox
          aria-label={t('workers.select-one', 'Select {{hostname}}', { hostname })}
          value={selected.has(hostname)}
          onChange={() => toggle(hostname)}
        />
      </span>
    ),
  };
}

function poolText({ pool, concurrency, autoscale }: WorkerRow): string {
  if (pool === undefined && concurrency === undefined) {
    return UNKNOWN;
  }
  const range = autoscale === undefined ? '' : ` (${autoscale.min}–${autoscale.max})`;
  return `${pool ?? ''} ${concurrency ?? ''}${range}`.trim();
}

function activeText({ active, concurrency }: WorkerRow): string {
  return active === undefined || concurrency === undefined ? formatCount(active) : `${active}/${concurrency}`;
}

function loadText({ loadavg }: WorkerRow): React.ReactNode {
  const [one] = loadavg ?? [];
  return one === undefined ? (
    UNKNOWN
  ) : (
    <span title={loadavg?.map((load) => load.toFixed(2)).join(' · ')}>{one.toFixed(2)}</span>
  );
}

const bytesText = (bytes: number | undefined): string =>
  bytes === undefined ? UNKNOWN : formattedValueToString(getValueFormat('bytes')(bytes));

const cpuText = ({ cpuSeconds }: WorkerRow): string =>
  cpuSeconds === undefined ? UNKNOWN : formattedValueToString(getValueFormat('s')(cpuSeconds));
