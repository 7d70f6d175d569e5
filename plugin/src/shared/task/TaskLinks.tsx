import { css } from '@emotion/css';
import type { GrafanaTheme2, TimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, type IconName, LinkButton, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskDetail } from '../api';
import { taskUrls } from './taskUrls';

export interface TaskLinksProps {
  readonly source: CeleryDataSource;
  readonly task: TaskDetail;
  readonly range: TimeRange;
  readonly onOpen: (taskId: string) => void;
}

/** Children named one by one; of more the workflow tells. */
const MOST_CHILDREN = 10;

/** From a task to its workflow, relatives, worker, trace, logs and metrics. */
export function TaskLinks({ source, task, range, onOpen }: TaskLinksProps) {
  const styles = useStyles2(getStyles);
  const urls = taskUrls(source, task, range);
  const { parentId, children } = task;
  return (
    <nav className={styles.links} aria-label={t('task.links', 'Links of the task')}>
      <Go icon="sitemap" url={urls.workflow} text={t('task.link-workflow', 'Workflow')} />
      <Go icon="cube" url={urls.worker} text={t('task.link-worker', 'Worker')} />
      <Go icon="chart-line" url={urls.metrics} text={t('task.link-metrics', 'Metrics')} />
      <Go icon="gf-traces" url={urls.trace} text={t('task.link-trace', 'Trace')} />
      <Go icon="gf-logs" url={urls.logs} text={t('task.link-logs', 'Logs')} />
      <Go icon="apps" url={urls.task} text={t('task.link-dashboard', 'Dashboard')} />
      {parentId !== null && (
        <Button size="sm" variant="secondary" fill="text" icon="arrow-up" onClick={() => onOpen(parentId)}>
          {t('task.parent', 'Parent')}
        </Button>
      )}
      {children.slice(0, MOST_CHILDREN).map((child, index) => (
        <Button
          key={child}
          size="sm"
          variant="secondary"
          fill="text"
          icon="arrow-down"
          tooltip={child}
          onClick={() => onOpen(child)}
        >
          {t('task.child', 'Child {{number}}', { number: index + 1 })}
        </Button>
      ))}
    </nav>
  );
}

function Go({ icon, url, text }: { readonly icon: IconName; readonly url: string | undefined; readonly text: string }) {
  return url === undefined || url === '' ? null : (
    <LinkButton size="sm" variant="secondary" fill="text" icon={icon} href={url}>
      {text}
    </LinkButton>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  links: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(0.5), marginTop: theme.spacing(1) }),
});
