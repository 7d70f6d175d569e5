import { type DataFrame, type Field, getDisplayProcessor, type GrafanaTheme2, type PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useTheme2 } from '@grafana/ui';
import React, { useMemo } from 'react';
import { DASHBOARD_VARIABLES } from '../../shared/ids';
import { BoardLink } from '../../shared/ui/BoardLink';
import { formatCount, formatDuration, UNKNOWN } from '../../shared/ui/format';
import type { TableColumn } from '../../shared/ui/VirtualTable';
import { LengthBar } from './LengthBar';
import { Marks } from './Marks';
import { consumerCount, type LengthHistory, marksOf, type QueueRow } from './model';
import type { QueuesOptions } from './types';

interface ColumnInput extends Pick<PanelProps<QueuesOptions>, 'data' | 'options' | 'width'> {
  readonly rows: readonly QueueRow[];
  readonly frame: DataFrame | undefined;
  readonly history: LengthHistory;
  readonly nowMs: number;
  /** Of the data source, for links */
  readonly uid: string | undefined;
}

/** Room for all columns; narrower, those that say less go. */
const ALL_FROM = 700;
const RATES_FROM = 520;

export function useQueueColumns(input: ColumnInput): Array<TableColumn<QueueRow>> {
  const { data, options, width, rows, frame, history, nowMs, uid } = input;
  const theme = useTheme2();
  const display = useMemo(() => displayOf(frame, theme), [frame, theme]);
  const longest = rows.reduce((most, { messages = 0 }) => Math.max(most, messages), 0);
  const range = data.timeRange.raw;
  const hasRates = rows.some(({ publishRate, deliverRate }) => publishRate !== undefined || deliverRate !== undefined);
  const hasUnacked = rows.some(({ unacked }) => unacked !== undefined);
  const number = (id: keyof QueueRow, title: string, cell: (row: QueueRow) => string, hint?: string) => ({
    ...{ id, title, hint, cell, track: 'minmax(76px, 0.6fr)', align: 'end' as const, sortable: true },
  });
  const rate = (value: number | undefined) => (value === undefined ? UNKNOWN : value.toFixed(1));
  return [
    {
      id: 'name',
      title: t('queues.column.name', 'Queue'),
      track: 'minmax(150px, 1.4fr)',
      sortable: true,
      cell: (row) => (
        <>
          <BoardLink
            uid={uid}
            board="queues"
            variables={{ [DASHBOARD_VARIABLES.queue]: row.name }}
            range={range}
            title={row.name}
          >
            {row.name}
          </BoardLink>
          <Marks marks={marksOf(row, history.get(row.name))} hasMessages={(row.messages ?? 0) > 0} />
        </>
      ),
    },
    {
      id: 'messages',
      title: t('queues.column.messages', 'Waiting'),
      hint: t('queues.column.messages-hint', 'Ready messages of every priority'),
      track: 'minmax(130px, 2fr)',
      sortable: true,
      cell: ({ messages }) => (
        <LengthBar messages={messages} most={display.max ?? longest} color={display.color(messages)} />
      ),
    },
    number(
      'oldestMs',
      t('queues.column.oldest', 'Oldest'),
      ({ oldestMs }) => (oldestMs === undefined ? UNKNOWN : formatDuration(Math.max(nowMs - oldestMs, 0))),
      t('queues.column.oldest-hint', 'How long the oldest message has waited'),
    ),
    ...(hasUnacked && width >= ALL_FROM
      ? [
          number(
            'unacked',
            t('queues.column.unacked', 'Unacked'),
            ({ unacked }) => formatCount(unacked),
            t('queues.column.unacked-hint', 'Held by workers, not acknowledged'),
          ),
        ]
      : []),
    number('consumers', t('queues.column.consumers', 'Consumers'), (row) => formatCount(consumerCount(row))),
    ...(hasRates && width >= RATES_FROM
      ? [
          number('publishRate', t('queues.column.in', 'In /s'), ({ publishRate }) => rate(publishRate)),
          number('deliverRate', t('queues.column.out', 'Out /s'), ({ deliverRate }) => rate(deliverRate)),
        ]
      : []),
    ...(options.workers && width >= RATES_FROM
      ? [
          {
            id: 'workers',
            title: t('queues.column.workers', 'Workers'),
            track: 'minmax(110px, 1.2fr)',
            cell: ({ workers }: QueueRow) => <Workers names={workers} uid={uid} range={range} />,
          },
        ]
      : []),
    {
      id: 'links',
      title: '',
      track: '64px',
      align: 'end',
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

interface WorkersProps {
  readonly names: readonly string[] | undefined;
  readonly uid: string | undefined;
  readonly range: PanelProps['data']['timeRange']['raw'];
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
