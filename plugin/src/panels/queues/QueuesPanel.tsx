import type { PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, useStyles2 } from '@grafana/ui';
import { css } from '@emotion/css';
import React, { useMemo, useState } from 'react';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import type { Queues } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import { NoRows } from '../../shared/ui/Answers';
import { Nothing } from '../../shared/ui/Nothing';
import { useNow } from '../../shared/ui/useNow';
import { type TableSort, VirtualTable } from '../../shared/ui/VirtualTable';
import { isEmpty, sortRows, toQueueRows } from './model';
import { QUEUE_SORTS, type QueueSort, type QueuesOptions } from './types';
import { useLengths } from './useLengths';
import { useQueueColumns } from './useQueueColumns';
import { useWorkers } from './useWorkers';

/** Ages are shown in seconds at best. */
const TICK_MS = 5000;
const PROBLEM_HEIGHT = 64;

/** What waits in each queue, for how long, and who takes it. */
export function QueuesPanel(props: PanelProps<QueuesOptions>) {
  const { id, data, options, fieldConfig, width, height } = props;
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const workers = useWorkers(data, options.workers ? source : undefined);
  const frame = frameOf(data.series, 'queues');
  const rows = useMemo(() => toQueueRows(readRows<Queues['queues'][number]>(frame), workers), [frame, workers]);
  const history = useLengths(rows);
  const nowMs = useNow(TICK_MS);
  const [chosen, setChosen] = useState<TableSort>();
  const sort = chosen ?? { column: options.sortBy, descending: options.descending };
  const shown = useMemo(() => {
    const kept = options.hideEmpty ? rows.filter((row) => !isEmpty(row)) : rows;
    return sortRows(kept, toSort(sort.column), sort.descending);
  }, [rows, options.hideEmpty, sort.column, sort.descending]);
  const columns = useQueueColumns({ ...props, rows: shown, frame, history, nowMs, uid: source?.uid });

  if (rows.length === 0) {
    return (
      <Nothing
        {...{ id, data, fieldConfig, width }}
        missing={t('queues.no-frame', 'Choose the query "Queues" of a Celery data source.')}
        empty={frame === undefined ? undefined : t('queues.empty', 'No queue is known yet.')}
      />
    );
  }

  const problem: unknown = frame?.meta?.custom?.['problem'];
  const hasProblem = typeof problem === 'string';
  return (
    <div style={{ width, height }} className={styles.panel}>
      {hasProblem && (
        <Alert severity="warning" title={t('queues.problem', 'Only names are known')} style={{ marginBottom: 8 }}>
          {problem}
        </Alert>
      )}
      {shown.length === 0 ? (
        <NoRows title={t('queues.all-empty', 'Nothing waits: all queues are empty.')} />
      ) : (
        <VirtualTable
          label={t('queues.table', 'Queues')}
          columns={columns}
          rows={shown}
          rowKey={({ name }) => name}
          width={width}
          height={height - (hasProblem ? PROBLEM_HEIGHT : 0)}
          sort={sort}
          onSort={setChosen}
        />
      )}
    </div>
  );
}

function toSort(column: string): QueueSort {
  return QUEUE_SORTS.find((one) => one === column) ?? 'name';
}

const getStyles = () => ({ panel: css({ overflow: 'hidden' }) });
