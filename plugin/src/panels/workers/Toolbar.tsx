import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import type { Command } from '../../shared/actions/ConfirmCommand';
import { formatCount } from '../../shared/ui/format';
import { LiveBadge, type LiveState } from '../../shared/ui/LiveBadge';
import { SearchBox } from '../../shared/ui/SearchBox';
import { CommandMenu } from './CommandMenu';
import { countByStatus, type Orders, type WorkerRow } from './model';
import type { CommandTable } from './useCommands';

export const TOOLBAR_HEIGHT = 44;
const SENTENCE_FROM = 600;

interface ToolbarProps {
  readonly rows: readonly WorkerRow[];
  readonly live: LiveState | undefined;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly width: number;
  readonly selectedCount: number;
  /** Whom a command goes to: the selected, or without a selection all that are shown */
  readonly orders: Orders;
  /** Undefined: the panel only shows */
  readonly commands: CommandTable | undefined;
  readonly onCommand: (command: Command) => void;
}

export function Toolbar(props: ToolbarProps) {
  const { rows, live, search, onSearch, width, selectedCount, orders, commands, onCommand } = props;
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.bar}>
      <SearchBox
        value={search}
        onChange={onSearch}
        width={26}
        label={t('workers.search', 'Search workers')}
        placeholder={t('workers.search-hint', 'Name, queue, pool, version')}
      />
      <span className={styles.text}>{width >= SENTENCE_FROM ? sentence(rows) : ''}</span>
      <LiveBadge state={live} />
      {commands !== undefined && (
        <CommandMenu
          commands={commands}
          label={
            selectedCount > 0
              ? t('workers.menu.selected', 'Actions for {{count}} selected', { count: orders.count })
              : t('workers.menu.all', 'Actions for all {{count}} shown', { count: orders.count })
          }
          disabledReason={reasonOf(orders)}
          onChoose={onCommand}
        />
      )}
    </div>
  );
}

function sentence(rows: readonly WorkerRow[]): string {
  const { online, silent, offline } = countByStatus(rows);
  return [
    t('workers.count.online', '{{count}} online', { count: formatCount(online) }),
    silent > 0 ? t('workers.count.silent', '{{count}} silent', { count: formatCount(silent) }) : undefined,
    offline > 0 ? t('workers.count.offline', '{{count}} offline', { count: formatCount(offline) }) : undefined,
  ]
    .filter((text) => text !== undefined)
    .join(' · ');
}

function reasonOf({ reason }: Orders): string | undefined {
  switch (reason) {
    case 'nobody':
      return t('workers.menu.nobody', 'None of them is online: nobody would hear it.');
    case 'too-many':
      return t('workers.menu.too-many', 'More than 1,000 workers cannot be named: narrow the search, or show all.');
    case undefined:
      return undefined;
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    height: TOOLBAR_HEIGHT,
    padding: theme.spacing(0, 1),
  }),
  text: css({
    flex: 1,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
