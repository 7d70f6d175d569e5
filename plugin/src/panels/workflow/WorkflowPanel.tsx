import { css } from '@emotion/css';
import { type GrafanaTheme2, type PanelProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import { useCeleryDataSource } from '../../shared/actions/useCeleryDataSource';
import { frameOf, readRows } from '../../shared/frames/rows';
import { Nothing } from '../../shared/ui/Nothing';
import { useNow } from '../../shared/ui/useNow';
import { GanttView } from './GanttView';
import { GraphView } from './GraphView';
import { Legend, LEGEND_HEIGHT } from './Legend';
import { criticalPath } from '../../shared/workflow/criticalPath';
import { relate } from '../../shared/workflow/relations';
import { endedMs, readTasks, WORKFLOW_MEMBERS, type WorkflowRow } from '../../shared/workflow/tasks';
import { TaskCard } from './TaskCard';
import { Toolbar, TOOLBAR_HEIGHT } from './Toolbar';
import type { WorkflowOptions } from './types';

/** While something runs its bar grows. */
const TICK_MS = 1000;

/** A chain, group or chord: what comes after what, or when each task waited and ran. */
export function WorkflowPanel({
  id,
  data,
  options,
  fieldConfig,
  width,
  height,
  timeZone,
}: PanelProps<WorkflowOptions>) {
  const styles = useStyles2(getStyles);
  const source = useCeleryDataSource(data);
  const frame = frameOf(data.series, 'workflow') ?? frameOf(data.series, 'tasks');
  const relations = useMemo(() => relate(readTasks(readRows<WorkflowRow>(frame, WORKFLOW_MEMBERS))), [frame]);
  const isOpen = useMemo(() => [...relations.tasks.values()].some((task) => endedMs(task) === undefined), [relations]);
  const nowMs = useNow(isOpen ? TICK_MS : undefined);
  const path = useMemo(() => criticalPath(relations, nowMs), [relations, nowMs]);
  // The graph is laid out anew only when the path is another one, not with every tick.
  const pathKey = path.ids.join('\n');
  const criticalIds = useMemo(() => pathKey.split('\n'), [pathKey]);
  const [chosen, setChosen] = useState<WorkflowOptions['view']>();
  const [openTask, setOpenTask] = useState<string>();
  const [zoom, setZoom] = useState(1);

  if (relations.tasks.size === 0) {
    return <Nothing {...{ id, data, fieldConfig, width }} missing={emptyMessage(frame !== undefined)} />;
  }

  const view = chosen ?? options.view;
  const isTruncated = frame?.meta?.custom?.['truncated'] === true;
  const bodyHeight = Math.max(height - TOOLBAR_HEIGHT - (options.legend ? LEGEND_HEIGHT : 0), 60);
  const shared = { relations, criticalIds, width, height: bodyHeight, zoom, onZoom: setZoom, onOpen: setOpenTask };
  const task = relations.tasks.get(openTask ?? '');
  return (
    <div className={styles.panel} style={{ width, height }}>
      <Toolbar
        view={view}
        onView={(next) => {
          setChosen(next);
          setZoom(1);
        }}
        zoom={zoom}
        onZoom={setZoom}
        count={relations.tasks.size}
        truncated={isTruncated}
        groupsKnown={frame?.meta?.custom?.['groupsKnown'] !== false}
        path={path}
        width={width}
      />
      {view === 'graph' ? (
        <GraphView {...shared} collapseFrom={options.collapseFrom} />
      ) : (
        <GanttView {...shared} nowMs={nowMs} timeZone={timeZone} />
      )}
      {options.legend && <Legend relations={relations} view={view} />}
      {task !== undefined && (
        <TaskCard
          task={task}
          nowMs={nowMs}
          critical={criticalIds.includes(task.taskId)}
          uid={source?.uid}
          range={data.timeRange.raw}
          timeZone={timeZone}
          onClose={() => setOpenTask(undefined)}
        />
      )}
    </div>
  );
}

function emptyMessage(hasFrame: boolean): string {
  return hasFrame
    ? t('workflow.empty', 'The agent knows no task of this workflow.')
    : t('workflow.no-frame', 'Choose the query "Workflow" with the format "Table", and give it the id of a task.');
}

const getStyles = (_theme: GrafanaTheme2) => ({
  panel: css({ position: 'relative', display: 'flex', flexDirection: 'column', overflow: 'hidden' }),
});
