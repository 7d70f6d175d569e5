import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import { ActionButton } from '../actions/ActionButton';
import type { TaskDetail } from '../api';
import { isFinished } from '../ui/stateLook';
import { AbortDialog, RevokeDialog, TerminateDialog } from './ActionDialogs';
import { RetryDialog } from './RetryDialog';

type Action = 'revoke' | 'terminate' | 'abort' | 'retry';

export interface TaskActionsProps {
  readonly source: CeleryDataSource;
  readonly task: TaskDetail;
  /** Something was sent: the task is worth another look */
  readonly onActed: () => void;
  readonly onOpen: (taskId: string) => void;
}

/** What can be done with one task. A button that makes no sense in its state stays in its place and says why. */
export function TaskActions({ source, task, onActed, onOpen }: TaskActionsProps) {
  const styles = useStyles2(getStyles);
  const [asked, setAsked] = useState<Action>();
  const ended = isFinished(task.state);
  const overReason = ended ? t('task.ended', 'The task has ended ({{state}}).', { state: task.state }) : undefined;
  const openReason =
    ended || task.orphaned !== null
      ? undefined
      : t('task.not-ended', 'The task is {{state}}: only one that has ended can be sent again. Revoke it first.', {
          state: task.state,
        });
  const acted = () => {
    source.refresh();
    onActed();
  };
  const dialog = { source, task, onSent: acted, onClose: () => setAsked(undefined) };
  return (
    <div className={styles.actions} role="toolbar" aria-label={t('task.actions', 'Actions on the task')}>
      <ActionButton
        role="editor"
        icon="ban"
        label={t('task.revoke', 'Revoke')}
        disabledReason={overReason}
        onClick={() => setAsked('revoke')}
      />
      <ActionButton
        role="editor"
        icon="bolt"
        variant="destructive"
        fill="outline"
        label={t('task.terminate', 'Terminate')}
        disabledReason={overReason}
        onClick={() => setAsked('terminate')}
      />
      <ActionButton
        role="editor"
        icon="times-circle"
        label={t('task.abort', 'Abort')}
        disabledReason={overReason}
        onClick={() => setAsked('abort')}
      />
      <ActionButton
        role="editor"
        icon="repeat"
        label={t('task.retry', 'Retry')}
        disabledReason={openReason}
        onClick={() => setAsked('retry')}
      />
      {asked === 'revoke' && <RevokeDialog {...dialog} />}
      {asked === 'terminate' && <TerminateDialog {...dialog} />}
      {asked === 'abort' && <AbortDialog {...dialog} />}
      {asked === 'retry' && <RetryDialog {...dialog} onOpen={onOpen} />}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  actions: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
});
