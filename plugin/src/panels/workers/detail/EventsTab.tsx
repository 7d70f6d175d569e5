import { t } from '@grafana/i18n';
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import type { WorkerEvents } from '../../../shared/api';
import { Failed, NoRows } from '../../../shared/ui/Answers';
import { formatInstant } from '../../../shared/ui/format';
import { getStyles } from './FactTable';
import type { TabProps } from './tabs';

const LIMIT = 100;

/** Its last starts, stops and heartbeats, as the agent recorded them. */
export function EventsTab({ source, hostname, timeZone }: TabProps) {
  const styles = useStyles2(getStyles);
  const [answer, setAnswer] = useState<WorkerEvents>();
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const subscription = source.client
      .workerEvents(hostname, { limit: LIMIT })
      .subscribe({ next: setAnswer, error: setError });
    return () => subscription.unsubscribe();
  }, [source, hostname, asked]);
  if (error !== undefined) {
    return (
      <Failed
        error={error}
        onRetry={() => {
          setError(undefined);
          setAsked(asked + 1);
        }}
      />
    );
  }
  if (answer === undefined) {
    return <LoadingPlaceholder text={t('worker.events-loading', 'Loading events…')} />;
  }
  if (answer.events.length === 0) {
    return <NoRows title={t('worker.no-events', 'No event of the last day.')} />;
  }
  return (
    <table className={styles.table} aria-label={t('worker.events', 'Events')}>
      <thead>
        <tr>
          <th>{t('worker.event-time', 'Time')}</th>
          <th>{t('worker.event-type', 'Event')}</th>
          <th>{t('worker.event-active', 'Active')}</th>
          <th>{t('worker.event-processed', 'Processed')}</th>
        </tr>
      </thead>
      <tbody>
        {answer.events.map(({ type, timestampMs, fields }, index) => (
          <tr key={`${timestampMs} ${type} ${index}`}>
            <td>{formatInstant(timestampMs, timeZone)}</td>
            <td>{type}</td>
            <td>{plain(fields['active'])}</td>
            <td>{plain(fields['processed'])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const plain = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en-US') : '');
