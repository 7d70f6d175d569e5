import {
  type DataFrame,
  type Field,
  getDisplayProcessor,
  type GrafanaTheme2,
  type PanelProps,
  type RawTimeRange,
} from '@grafana/data';
import { t } from '@grafana/i18n';
import { useTheme2 } from '@grafana/ui';
import React, { useMemo } from 'react';
import { DASHBOARD_VARIABLES } from '../../shared/ids';
import { BoardLink } from '../../shared/ui/BoardLink';
import { formatCount, formatDuration, UNKNOWN } from '../../shared/ui/format';
import type { TableColumn } from '../../shared/ui/VirtualTable';
import { LengthBar } from './LengthBar';
import { Marks } from './Marks';
import { consumerCount, type LengthHistory, marksOf, type QueueMark, type QueueRow } from './model';
import type { QueuesOptions } from './types';

interface ColumnInput extends Pick<PanelProps<QueuesOptions>, 'data' | 'options'> {
  readonly rows: readonly QueueRow[];
  readonly frame: DataFrame | undefined;
  readonly history: LengthHistory;
  readonly nowMs: number;
  /** Of the data source, for links */
  readonly uid: string | undefined;
}

type Column = TableColumn<QueueRow>;

/** All columns for which there is anything to show; those with the highest `rank` go first where there is no room. */
export function useQueueColumns(input: ColumnInput): Column[] {
  const { data, options, rows, frame, history, uid } = input;
  const theme = useTheme2();
  const display = useMemo(() => displayOf(frame, theme), [frame, theme]);
  const longest = rows.reduce((most, { messages = 0 }) => Math.max(most, messages), 0);
  const range = data.timeRange.raw;
  return [
    {
      ...{ id: 'name', title: t('queues.column.name', 'Queue'), minWidth: 140, grow: 3, sortable: true },
      cell: (row) => <QueueName row={row} marks={marksOf(row, history.get(row.name))} uid={uid} range={range} />,
    },
    {
      ...{ id: 'messages', title: t('queues.column.messages', 'Waiting'), minWidth: 130, grow: 4, sortable: true },
      hint: t('queues.column.messages-hint', 'Ready messages of every priority'),
      cell: ({ messages }) => (
        <LengthBar messages={messages} most={display.max ?? longest} color={display.color(messages)} />
      ),
    },
    ...numberColumns(input),
    ...(options.workers
      ? [
          {
            ...{ id: 'workers', title: t('queues.column.workers', 'Workers'), minWidth: 110, grow: 3, rank: 3 },
            cell: ({ workers }: QueueRow) => <Workers names={workers} uid={uid} range={range} />,
          },
        ]
      : []),
    {
      ...{ id: 'links', title: '', minWidth: 60, align: 'end', rank: 2 },
      cell: ({ name }) => (
        <BoardLink
          uid={uid}
          board="tasks"
          variables={{ [DASHBOARD_VARIABLES.queue]: name }}
          range={range}
          title={t('queues.tasks-title', 'Tasks of {{name}}', { name })}
        >
          {t('queues.tasks', 'Tasks')}
        </BoardLink>
      ),
    },
  ];
}

/** Without those of which the broker tells nothing. */
function numberColumns({ rows, nowMs }: ColumnInput): Column[] {
  const column = (id: keyof QueueRow, title: string, rank: number, cell: Column['cell'], hint?: string): Column => ({
    ...{ id, title, hint, rank, cell, minWidth: 80, grow: 1, align: 'end', sortable: true },
  });
  const isTold = (name: keyof QueueRow) => rows.some((row) => row[name] !== undefined);
  const rate = (value: number | undefined) => (value === undefined ? UNKNOWN : value.toFixed(1));
  const age = ({ oldestMs }: QueueRow) =>
    oldestMs === undefined ? UNKNOWN : formatDuration(Math.max(nowMs - oldestMs, 0));
  return [
    column(
      'oldestMs',
      t('queues.column.oldest', 'Oldest'),
      0,
      age,
      t('queues.column.oldest-hint', 'How long the oldest message has waited'),
    ),
    ...(isTold('unacked')
      ? [
          column(
            'unacked',
            t('queues.column.unacked', 'Unacked'),
            4,
            ({ unacked }) => formatCount(unacked),
            t('queues.column.unacked-hint', 'Held by workers, not acknowledged'),
          ),
        ]
      : []),
    column('consumers', t('queues.column.consumers', 'Consumers'), 1, (row) => formatCount(consumerCount(row))),
    ...(isTold('publishRate') || isTold('deliverRate')
      ? [
          column('publishRate', t('queues.column.in', 'In /s'), 1, ({ publishRate }) => rate(publishRate)),
          column('deliverRate', t('queues.column.out', 'Out /s'), 1, ({ deliverRate }) => rate(deliverRate)),
        ]
      : []),
  ];
}

interface QueueNameProps {
  readonly row: QueueRow;
  readonly marks: readonly QueueMark[];
  readonly uid: string | undefined;
  readonly range: RawTimeRange;
}

function QueueName({ row: { name, messages = 0 }, marks, uid, range }: QueueNameProps) {
  return (
    <span style={{ display: 'flex', alignItems: 'center', gap: 6 }}>
      <span style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>
        <BoardLink
          uid={uid}
          board="queues"
          variables={{ [DASHBOARD_VARIABLES.queue]: name }}
          range={range}
          title={name}
        >
          {name}
        </BoardLink>
      </span>
      <Marks marks={marks} hasMessages={messages > 0} />
    </span>
  );
}

interface WorkersProps {
  readonly names: readonly string[] | undefined;
  readonly uid: string | undefined;
  readonly range: RawTimeRange;
}

function Workers({ names, uid, range }: WorkersProps) {
  const [first] = names ?? [];
  if (names === undefined || first === undefined) {
    return <span>{names === undefined ? UNKNOWN : t('queues.nobody', 'nobody')}</span>;
  }
  return names.length === 1 ? (
    <BoardLink uid={uid} board="worker" variables={{ [DASHBOARD_VARIABLES.worker]: first }} range={range} title={first}>
      {first}
    </BoardLink>
  ) : (
    <span title={names.join('\n')}>
      {t('queues.workers', '{{first}} and {{count}} more', { first, count: names.length - 1 })}
    </span>
  );
}

/** Colour by the thresholds, and the length of the whole bar where it is set. */
function displayOf(frame: DataFrame | undefined, theme: GrafanaTheme2) {
  const field: Field | undefined = frame?.fields.find(({ name }) => name === 'messages');
  const process = field === undefined ? undefined : (field.display ?? getDisplayProcessor({ field, theme }));
  return {
    max: field?.config.max,
    color: (messages: number | undefined): string =>
      (messages === undefined ? undefined : process?.(messages).color) ?? theme.colors.primary.main,
  };
}
