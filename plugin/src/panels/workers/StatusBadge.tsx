import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { Icon, type IconName, useStyles2 } from '@grafana/ui';
import React from 'react';
import { formatAgo, formatInstant } from '../../shared/ui/format';
import type { WorkerRow, WorkerStatus } from './model';

const ICONS: Readonly<Record<WorkerStatus, IconName>> = {
  online: 'check-circle',
  silent: 'clock-nine',
  offline: 'times-circle',
};

export function statusText(status: WorkerStatus): string {
  switch (status) {
    case 'online':
      return t('workers.status.online', 'Online');
    case 'silent':
      return t('workers.status.silent', 'Silent');
    case 'offline':
      return t('workers.status.offline', 'Offline');
  }
}

interface StatusBadgeProps {
  readonly row: WorkerRow;
  readonly nowMs: number;
  readonly timeZone: TimeZone;
}

/** As picture and word; since when, where it is not online. */
export function StatusBadge({ row: { status, lastHeartbeatMs }, nowMs, timeZone }: StatusBadgeProps) {
  const styles = useStyles2(getStyles);
  const since = status === 'online' || lastHeartbeatMs === undefined ? '' : ` · ${formatAgo(lastHeartbeatMs, nowMs)}`;
  return (
    <span
      className={styles[status]}
      title={t('workers.status.heartbeat', 'Last heartbeat {{at}}', { at: formatInstant(lastHeartbeatMs, timeZone) })}
    >
      <Icon name={ICONS[status]} size="sm" />
      {statusText(status)}
      {since}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2): Record<WorkerStatus, string> => {
  const look = (color: string) =>
    css({ display: 'inline-flex', alignItems: 'center', verticalAlign: 'top', gap: theme.spacing(0.5), color });
  return {
    online: look(theme.colors.success.text),
    silent: look(theme.colors.warning.text),
    offline: look(theme.colors.error.text),
  };
};
