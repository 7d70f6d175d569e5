import { t } from '@grafana/i18n';
import { Combobox, Field } from '@grafana/ui';
import React, { useState } from 'react';
import { map } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import { ConfirmAction } from '../actions/ConfirmAction';
import type { CommandOutcome, Task } from '../api';
import { SIGNALS } from './signals';

interface DialogProps {
  readonly source: CeleryDataSource;
  readonly task: Pick<Task, 'taskId' | 'name' | 'state' | 'worker'>;
  readonly onSent: () => void;
  readonly onClose: () => void;
}

export function RevokeDialog({ source, task, onSent, onClose }: DialogProps) {
  return (
    <ConfirmAction
      title={t('task.revoke-title', 'Revoke the task')}
      confirmLabel={t('task.revoke', 'Revoke')}
      destructive
      run={() => source.client.revoke(task.taskId)}
      {...{ onSent, onClose }}
    >
      <About task={task} />
      <p>
        {t(
          'task.revoke-says',
          'Every worker is told not to start it. If it runs already it goes on; terminate it to end it.',
        )}
      </p>
    </ConfirmAction>
  );
}

export function TerminateDialog({ source, task, onSent, onClose }: DialogProps) {
  const [signal, setSignal] = useState<string>(SIGNALS[0]);
  return (
    <ConfirmAction
      title={t('task.terminate-title', 'Terminate the task')}
      confirmLabel={t('task.terminate', 'Terminate')}
      destructive
      run={() => source.client.terminate(task.taskId, signal)}
      {...{ onSent, onClose }}
    >
      <About task={task} />
      <p>
        {t(
          'task.terminate-says',
          'The signal goes to the process that runs it, which the pool replaces; what was half done stays so. If it does not run yet it will not be started.',
        )}
      </p>
      <Field label={t('task.signal', 'Signal')} htmlFor="task-signal">
        <Combobox
          id="task-signal"
          width={20}
          options={SIGNALS.map((value) => ({ value }))}
          value={signal}
          onChange={({ value }) => setSignal(value)}
        />
      </Field>
    </ConfirmAction>
  );
}

export function AbortDialog({ source, task, onSent, onClose }: DialogProps) {
  const says = t(
    'task.abort-says',
    'Stores ABORTED in the result backend. Only an abortable task, which looks there from time to time, stops by it.',
  );
  const stored: CommandOutcome = {
    command: 'abort',
    says: t('task.aborted', 'ABORTED is stored.'),
    sent: true,
    workers: [],
    answers: [],
    silent: [],
  };
  return (
    <ConfirmAction
      title={t('task.abort-title', 'Abort the task')}
      confirmLabel={t('task.abort', 'Abort')}
      destructive
      run={() => source.client.abort(task.taskId).pipe(map(() => stored))}
      outcomeText={says}
      {...{ onSent, onClose }}
    >
      <About task={task} />
      <p>{says}</p>
    </ConfirmAction>
  );
}

function About({ task: { name, taskId, state, worker } }: { readonly task: DialogProps['task'] }) {
  const where = worker === null ? '' : t('task.at', ' at {{worker}}', { worker });
  return (
    <p>
      <strong>{name ?? t('task.title', 'Task')}</strong> <code>{taskId}</code>: {state}
      {where}
    </p>
  );
}
