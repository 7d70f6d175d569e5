import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Icon, IconButton, RadioButtonGroup, Tooltip, useStyles2 } from '@grafana/ui';
import React from 'react';
import { formatCount, formatDuration } from '../../shared/ui/format';
import type { CriticalPath } from '../../shared/workflow/criticalPath';
import type { WorkflowView } from './types';

export const TOOLBAR_HEIGHT = 40;
export const MOST_ZOOM = 64;
const STEP = 1.5;
/** Narrower than this there is no place for the sentence. */
const SENTENCE_FROM = 560;

interface ToolbarProps {
  readonly view: WorkflowView;
  readonly onView: (view: WorkflowView) => void;
  /** 1: all of it fits */
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
  readonly count: number;
  readonly truncated: boolean;
  /** False: tasks of groups that were sent by themselves may be missing */
  readonly groupsKnown: boolean;
  readonly path: CriticalPath;
  readonly width: number;
}

export function Toolbar({ view, onView, zoom, onZoom, count, truncated, groupsKnown, path, width }: ToolbarProps) {
  const styles = useStyles2(getStyles);
  const views: Array<{ label: string; value: WorkflowView }> = [
    { label: t('workflow.view.graph', 'Graph'), value: 'graph' },
    { label: t('workflow.view.gantt', 'Gantt'), value: 'gantt' },
  ];
  return (
    <div className={styles.bar}>
      <RadioButtonGroup
        size="sm"
        aria-label={t('workflow.view.label', 'View')}
        options={views}
        value={view}
        onChange={onView}
      />
      <div className={styles.text}>
        {truncated && (
          <span className={styles.notice} role="status">
            <Icon name="exclamation-triangle" size="sm" />{' '}
            {t('workflow.truncated', 'Only the first {{count}} tasks are shown', { count: formatCount(count) })}
          </span>
        )}
        {width >= SENTENCE_FROM && <span className={styles.sentence}>{sentence(count, path, truncated)}</span>}
        {!groupsKnown && (
          <Tooltip content={groupsHint()}>
            <span className={styles.hint} tabIndex={0}>
              <Icon name="info-circle" size="sm" /> {t('workflow.one-root', 'tasks of one root')}
            </span>
          </Tooltip>
        )}
      </div>
      <IconButton
        name="search-minus"
        tooltip={t('workflow.zoom-out', 'Zoom out')}
        disabled={zoom <= 1}
        onClick={() => onZoom(Math.max(zoom / STEP, 1))}
      />
      <IconButton
        name="search-plus"
        tooltip={t('workflow.zoom-in', 'Zoom in')}
        disabled={zoom >= MOST_ZOOM}
        onClick={() => onZoom(Math.min(zoom * STEP, MOST_ZOOM))}
      />
      <IconButton name="expand-arrows-alt" tooltip={t('workflow.fit', 'Zoom to fit')} onClick={() => onZoom(1)} />
    </div>
  );
}

function sentence(count: number, { totalMs, runMs, waitMs }: CriticalPath, truncated: boolean): string {
  const times = t('workflow.times', 'critical path {{total}}: ran {{run}}, waited {{wait}}', {
    total: formatDuration(totalMs),
    run: formatDuration(runMs),
    wait: formatDuration(waitMs),
  });
  const tasks =
    count === 1 ? t('workflow.task', '1 task') : t('workflow.tasks', '{{count}} tasks', { count: formatCount(count) });
  return truncated ? times : `${tasks} · ${times}`;
}

function groupsHint(): string {
  return t(
    'workflow.groups-unknown',
    'Celery makes each task of a group or chord that was sent by itself a root of its own, and its events do not tell that they belong together. They are shown as one where the agent can read results on Redis (--result-backend); or send the group from a task, or as a step of a chain.',
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    height: TOOLBAR_HEIGHT,
    flexShrink: 0,
    padding: theme.spacing(0, 0.5),
  }),
  text: css({
    flex: 1,
    display: 'flex',
    gap: theme.spacing(2),
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    textOverflow: 'ellipsis',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  sentence: css({ overflow: 'hidden', textOverflow: 'ellipsis' }),
  hint: css({ flexShrink: 0 }),
  notice: css({ color: theme.colors.warning.text }),
});
