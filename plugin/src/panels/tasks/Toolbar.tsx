import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, Dropdown, Menu, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskFilter } from '../../shared/api';
import { formatCount } from '../../shared/ui/format';
import { LiveBadge, type LiveState } from '../../shared/ui/LiveBadge';
import { SearchBox } from '../../shared/ui/SearchBox';
import { ColumnMenu, type ColumnMenuProps } from './ColumnMenu';
import { StateFilter } from './StateFilter';
import type { Answer, Narrowing, Sort } from './taskRows';

export interface ToolbarProps {
  readonly source: CeleryDataSource | undefined;
  readonly narrowing: Narrowing;
  readonly onNarrow: (narrowing: Narrowing) => void;
  /** What the agent does not like about the search */
  readonly searchProblem: string | undefined;
  readonly customStates: readonly string[];
  readonly shown: number;
  readonly total: Answer['total'];
  readonly live: LiveState | undefined;
  readonly filter: TaskFilter;
  readonly sort: Sort | undefined;
  readonly columns: ColumnMenuProps;
  readonly children?: React.ReactNode;
}

export function Toolbar(props: ToolbarProps) {
  const {
    source,
    narrowing,
    onNarrow,
    searchProblem,
    customStates,
    shown,
    total,
    live,
    filter,
    sort,
    columns,
    children,
  } = props;
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.bar} role="toolbar" aria-label={t('tasks.toolbar', 'Search, filter and act')}>
      <div className={styles.search}>
        <SearchBox
          label={t('tasks.search', 'Search tasks')}
          placeholder={t('tasks.search-example', 'Search, e.g. state:FAILURE name:import')}
          value={narrowing.search}
          problem={searchProblem}
          help
          onChange={(search) => onNarrow({ ...narrowing, search })}
        />
      </div>
      <StateFilter
        states={narrowing.states}
        more={customStates}
        onChange={(states) => onNarrow({ ...narrowing, states })}
      />
      <span className={styles.count} role="status">
        {countText(shown, total)}
      </span>
      <LiveBadge state={live} />
      <span className={styles.gap} />
      {children}
      <ExportMenu source={source} filter={filter} sort={sort} />
      <ColumnMenu {...columns} />
    </div>
  );
}

/** `200 of 3,000 tasks` */
export function countText(shown: number, total: Answer['total']): string {
  if (total === undefined || (total.exact && total.count <= shown)) {
    return shown === 1
      ? t('tasks.count-one', '1 task')
      : t('tasks.count', '{{shown}} tasks', { shown: formatCount(shown) });
  }
  const all = `${formatCount(total.count)}${total.exact ? '' : '+'}`;
  return t('tasks.count-of', '{{shown}} of {{all}} tasks', { shown: formatCount(shown), all });
}

function ExportMenu({ source, filter, sort }: Pick<ToolbarProps, 'source' | 'filter' | 'sort'>) {
  const address = (format: string) =>
    source?.client.address('export/tasks', {
      ...filter,
      ...(sort !== undefined && { sort: sort.key, order: sort.descending ? 'desc' : 'asc' }),
      format,
    });
  const menu = (
    <Menu>
      <Menu.Item label={t('tasks.export-csv', 'CSV')} icon="file-alt" url={address('csv')} target="_blank" />
      <Menu.Item
        label={t('tasks.export-ndjson', 'NDJSON (a JSON object a line)')}
        icon="brackets-curly"
        url={address('ndjson')}
        target="_blank"
      />
    </Menu>
  );
  return (
    <Dropdown overlay={menu} placement="bottom-end">
      <Button
        variant="secondary"
        size="sm"
        icon="download-alt"
        disabled={source === undefined}
        tooltip={t('tasks.export', 'Export all that match')}
        aria-label={t('tasks.export', 'Export all that match')}
      />
    </Dropdown>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({
    display: 'flex',
    alignItems: 'center',
    flexWrap: 'wrap',
    gap: theme.spacing(1),
    paddingBottom: theme.spacing(1),
  }),
  search: css({ flex: '1 1 220px', maxWidth: 420 }),
  count: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'nowrap',
  }),
  gap: css({ flexGrow: 1 }),
});
