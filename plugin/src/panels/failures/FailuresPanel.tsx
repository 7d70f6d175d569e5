import { css } from '@emotion/css';
import { type GrafanaTheme2, LoadingState, type PanelProps, type TimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import { RadioButtonGroup, ScrollContainer, useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import { boardUrl } from '../../shared/boardUrl';
import { BulkDialog } from '../../shared/bulk/BulkDialog';
import { DASHBOARD_VARIABLES } from '../../shared/ids';
import { TaskDrawer } from '../../shared/task/TaskDrawer';
import { NoRows, Waiting } from '../../shared/ui/Answers';
import { formatCount } from '../../shared/ui/format';
import { Nothing } from '../../shared/ui/Nothing';
import { FailureHeader } from './FailureHeader';
import { GroupRow } from './GroupRow';
import { filterOf, type FoundFailures, type Group, isNew, readFailures, sortGroups } from './model';
import { type FailuresPanelOptions, sortOptions } from './options';

/** Below it first seen and names move into the opened group. */
const WIDE = 900;

/** Failures by cause: how many, since when, a sample, and retrying all of them. */
export function FailuresPanel(props: PanelProps<FailuresPanelOptions>) {
  const { id, data, fieldConfig, width, height } = props;
  const found = useMemo(() => readFailures(data), [data]);
  if (found === undefined) {
    const missing = t(
      'failures.no-frame',
      'This panel shows failures. Choose a Celery data source, and “Failures” as the kind of the query.',
    );
    return <Nothing {...{ id, data, fieldConfig, width, missing }} />;
  }
  return (
    <div style={{ height, position: 'relative' }}>
      <FailureTable {...props} found={found} />
    </div>
  );
}

function FailureTable({
  data,
  options,
  width,
  timeZone,
  onOptionsChange,
  found,
}: PanelProps<FailuresPanelOptions> & { readonly found: FoundFailures }) {
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const [opened, setOpened] = useState<string>();
  const [sample, setSample] = useState<string>();
  const [retrying, setRetrying] = useState<Group>();
  const groups = useMemo(() => sortGroups(found.groups, options.sortBy), [found, options.sortBy]);
  const { timeRange } = data;
  const [fromMs, toMs] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  // A range that ends now holds what came in while the answer was on its way.
  const nowMs = Math.max(toMs, ...groups.map(({ lastMs }) => lastMs));
  const wide = width >= WIDE;
  if (groups.length === 0) {
    return <NoRows title={t('failures.none', 'No failures in this time range')} />;
  }
  return (
    <div className={styles.panel}>
      {data.state === LoadingState.Loading && <Waiting width={width} />}
      <div className={styles.bar}>
        <RadioButtonGroup
          size="sm"
          aria-label={t('failures.sort', 'Sort by')}
          options={sortOptions()}
          value={options.sortBy}
          onChange={(sortBy) => onOptionsChange({ ...options, sortBy })}
        />
        <span role="status">
          {t('failures.count', 'Causes: {{groups}} · failures: {{failures}}', {
            groups: groups.length,
            failures: formatCount(groups.reduce((sum, { count }) => sum + count, 0)),
          })}
        </span>
      </div>
      <ScrollContainer>
        <table className={styles.table}>
          <FailureHeader sort={options.sortBy} wide={wide} />
          <tbody>
            {groups.map((group) => (
              <GroupRow
                key={group.fingerprint}
                {...{ group, timeZone, wide }}
                trendFromMs={found.trendFromMs ?? fromMs}
                trendStepMs={found.trendStepMs ?? 0}
                isNew={isNew(group, fromMs, toMs)}
                open={opened === group.fingerprint}
                nowMs={nowMs}
                tasksUrl={source === undefined ? undefined : tasksUrl(source.uid, group, timeRange)}
                canAct={source !== undefined}
                onToggle={() => setOpened(opened === group.fingerprint ? undefined : group.fingerprint)}
                onSample={() => setSample(group.sampleTaskId)}
                onRetry={() => setRetrying(group)}
              />
            ))}
          </tbody>
        </table>
      </ScrollContainer>
      {sample !== undefined && source !== undefined && (
        <TaskDrawer
          source={source}
          taskId={sample}
          range={timeRange}
          timeZone={timeZone}
          onOpen={setSample}
          onClose={() => setSample(undefined)}
        />
      )}
      {retrying !== undefined && source !== undefined && (
        <BulkDialog
          source={source}
          kind="retry"
          filter={filterOf(found, retrying)}
          about={`${retrying.exceptionType}: ${retrying.message}`}
          onClose={() => setRetrying(undefined)}
        />
      )}
    </div>
  );
}

/** The dashboard with the tasks of the group. Their names are for its charts, which do not know groups. */
function tasksUrl(uid: string, { fingerprint, names }: Group, { raw }: TimeRange): string {
  const variables = {
    [DASHBOARD_VARIABLES.fingerprint]: fingerprint,
    [DASHBOARD_VARIABLES.state]: 'FAILURE',
    [DASHBOARD_VARIABLES.task]: names,
  };
  return boardUrl(uid, 'tasks', variables, raw);
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({ display: 'flex', flexDirection: 'column', height: '100%', overflow: 'hidden' }),
  bar: css({
    display: 'flex',
    alignItems: 'center',
    flexWrap: 'wrap',
    gap: theme.spacing(2),
    paddingBottom: theme.spacing(1),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  table: css({ width: '100%', tableLayout: 'fixed' }),
});
