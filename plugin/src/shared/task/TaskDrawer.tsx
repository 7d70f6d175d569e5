import { css } from '@emotion/css';
import type { GrafanaTheme2, TimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { ClipboardButton, Drawer, Spinner, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskDetail } from '../api';
import { Failed } from '../ui/Answers';
import { isFinished } from '../ui/stateLook';
import { StateBadge } from '../ui/StateBadge';
import { useReturnFocus } from '../ui/useReturnFocus';
import { Payload } from './Payload';
import { StoredResult } from './StoredResult';
import { TaskActions } from './TaskActions';
import { TaskFacts } from './TaskFacts';
import { TaskLinks } from './TaskLinks';
import { toTimeline } from './timeline';
import { TimelineView } from './TimelineView';
import { Traceback } from './Traceback';
import { useTask } from './useTask';

export interface TaskDrawerProps {
  readonly source: CeleryDataSource;
  readonly taskId: string;
  readonly range: TimeRange;
  readonly timeZone: TimeZone;
  /** Shows another task: a parent, a child, the one a retry has sent */
  readonly onOpen: (taskId: string) => void;
  readonly onClose: () => void;
}

/** Everything about one task, and what can be done with it. */
export function TaskDrawer({ source, taskId, range, timeZone, onOpen, onClose }: TaskDrawerProps) {
  const styles = useStyles2(getStyles);
  const { task, events, atMs, error, again } = useTask(source, taskId);
  useReturnFocus();
  return (
    <Drawer
      size="md"
      title={task?.name ?? t('task.title', 'Task')}
      subtitle={
        <span className={styles.subtitle}>
          {task !== undefined && <StateBadge state={task.state} orphaned={task.orphaned} />}
          <code>{taskId}</code>
          <ClipboardButton
            size="sm"
            variant="secondary"
            fill="text"
            icon="copy"
            getText={() => taskId}
            aria-label={t('task.copy-id', 'Copy the task ID')}
          />
        </span>
      }
      onClose={onClose}
    >
      {error !== undefined && <Failed error={error} onRetry={again} />}
      {task === undefined && error === undefined && <Spinner aria-label={t('task.loading', 'Loading the task')} />}
      {task !== undefined && (
        <>
          <TaskActions source={source} task={task} onActed={again} onOpen={onOpen} />
          <TaskLinks source={source} task={task} range={range} onOpen={onOpen} />
          <Values task={task} source={source} />
          <Section title={t('task.timeline', 'Timeline')}>
            <TimelineView model={toTimeline(events, atMs, isFinished(task.state))} timeZone={timeZone} />
          </Section>
          <Section title={t('task.details', 'Details')}>
            <TaskFacts task={task} timeZone={timeZone} />
          </Section>
        </>
      )}
    </Drawer>
  );
}

/** What it was called with, and what came of it. */
function Values({ task, source }: { readonly task: TaskDetail; readonly source: CeleryDataSource }) {
  return (
    <>
      <Section title={t('task.input', 'Called with')}>
        <Payload label={t('task.args', 'Arguments')} text={task.args} />
        <Payload label={t('task.kwargs', 'Keyword arguments')} text={task.kwargs} />
      </Section>
      <Section title={t('task.outcome', 'Outcome')}>
        {task.exception !== null && <Payload label={t('task.exception', 'Exception')} text={task.exception} />}
        {task.result !== null && <Payload label={t('task.result', 'Result')} text={task.result} />}
        <StoredResult key={task.taskId} source={source} taskId={task.taskId} />
      </Section>
      {task.traceback !== null && (
        <Section title={t('task.traceback', 'Traceback')}>
          <Traceback text={task.traceback} />
        </Section>
      )}
    </>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.section} aria-label={title}>
      <h3 className={styles.heading}>{title}</h3>
      {children}
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  subtitle: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), overflowWrap: 'anywhere' }),
  section: css({ marginTop: theme.spacing(3) }),
  heading: css({ ...theme.typography.h5, marginBottom: theme.spacing(1) }),
});
