import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, Button, Field, Input, Modal, Spinner, Stack, TextArea, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';
import { Subscription } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import { toast } from '../actions/toasts';
import type { Retried, RetryPlan, Task } from '../api';
import { messageOf } from '../ui/Answers';
import { useReturnFocus } from '../ui/useReturnFocus';
import { bodyOf, EMPTY_FORM, formOf, problemsOf, type RetryForm } from './retryForm';

export interface RetryDialogProps {
  readonly source: CeleryDataSource;
  readonly task: Pick<Task, 'taskId' | 'name'>;
  readonly onSent: () => void;
  readonly onOpen: (taskId: string) => void;
  readonly onClose: () => void;
}

/** Sends a task again, with its arguments or with others. */
export function RetryDialog({ source, task, onSent, onOpen, onClose }: RetryDialogProps) {
  const styles = useStyles2(getStyles);
  const { plan, unknown, busy: planning } = useRetryPlan(source, task.taskId);
  const [edited, setEdited] = useState<RetryForm>();
  useReturnFocus();
  const form = edited ?? (plan === undefined ? EMPTY_FORM : formOf(plan));
  const problems = problemsOf(form, plan);
  const { retried, error, busy, send } = useRetry(source, task.taskId, onSent);
  const field = (name: keyof RetryForm) => ({ form, name, problem: problems[name], onChange: setEdited });
  return (
    <Modal
      title={t('retry.title', 'Retry {{name}}', { name: task.name ?? task.taskId })}
      isOpen
      onDismiss={onClose}
      className={styles.modal}
    >
      {planning && <Spinner aria-label={t('retry.planning', 'Looking for the arguments')} />}
      {retried !== undefined ? (
        <Sent retried={retried} />
      ) : (
        !planning && (
          <>
            {unknown !== undefined && <Alert severity="warning" title={unknown} />}
            {plan !== undefined && (
              <p>
                {t(
                  'retry.says',
                  'Sends it as a new task. The arguments come from {{source}}; secrets are masked here, but sent as they are unless edited.',
                  { source: sourceName(plan.source) },
                )}
              </p>
            )}
            <JsonField {...field('args')} label={t('retry.args', 'Arguments')} />
            <JsonField {...field('kwargs')} label={t('retry.kwargs', 'Keyword arguments')} />
            <Stack direction="row" gap={2} wrap="wrap">
              <TextField
                {...field('queue')}
                label={t('retry.queue', 'Queue')}
                placeholder={plan?.queue ?? t('retry.queue-auto', 'where it went')}
              />
              <TextField
                {...field('countdown')}
                label={t('retry.countdown', 'Not before')}
                placeholder={t('retry.countdown-example', 'at once; e.g. 90s')}
              />
            </Stack>
          </>
        )
      )}
      {error !== undefined && <Alert severity="error" title={messageOf(error)} />}
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {retried === undefined ? t('retry.cancel', 'Cancel') : t('retry.close', 'Close')}
        </Button>
        {retried === undefined ? (
          <Button
            disabled={planning || busy || Object.keys(problems).length > 0}
            onClick={() => send(bodyOf(form, plan))}
          >
            {busy ? <Spinner inline /> : null} {t('retry.send', 'Send again')}
          </Button>
        ) : (
          <Button
            onClick={() => {
              onClose();
              onOpen(retried.newTaskId);
            }}
          >
            {t('retry.open', 'Show the new task')}
          </Button>
        )}
      </Modal.ButtonRow>
    </Modal>
  );
}

function Sent({ retried: { newTaskId, plan } }: { readonly retried: Retried }) {
  return (
    <Alert severity="success" title={t('retry.sent', 'Sent to the queue {{queue}}', { queue: plan.queue ?? '' })}>
      {t('retry.new-id', 'As task {{id}}', { id: newTaskId })}
    </Alert>
  );
}

interface FormFieldProps {
  readonly form: RetryForm;
  readonly name: keyof RetryForm;
  readonly label: string;
  readonly problem: string | undefined;
  readonly onChange: (form: RetryForm) => void;
}

function JsonField({ form, name, label, problem, onChange }: FormFieldProps) {
  const styles = useStyles2(getStyles);
  const rows = Math.min(12, Math.max(3, form[name].split('\n').length));
  return (
    <Field
      label={label}
      description={t('retry.json', 'JSON')}
      invalid={problem !== undefined}
      error={problem}
      htmlFor={`retry-${name}`}
    >
      <TextArea
        id={`retry-${name}`}
        className={styles.json}
        rows={rows}
        spellCheck={false}
        value={form[name]}
        onChange={(event) => onChange({ ...form, [name]: event.currentTarget.value })}
      />
    </Field>
  );
}

function TextField({
  form,
  name,
  label,
  problem,
  placeholder,
  onChange,
}: FormFieldProps & { readonly placeholder: string }) {
  return (
    <Field label={label} invalid={problem !== undefined} error={problem} htmlFor={`retry-${name}`}>
      <Input
        id={`retry-${name}`}
        width={28}
        placeholder={placeholder}
        value={form[name]}
        onChange={(event) => onChange({ ...form, [name]: event.currentTarget.value })}
      />
    </Field>
  );
}

function sourceName(source: RetryPlan['source']): string {
  switch (source) {
    case 'message':
      return t('retry.from-message', 'the waiting message');
    case 'inspect':
      return t('retry.from-worker', 'the worker');
    case 'result-backend':
      return t('retry.from-backend', 'the result backend');
    case 'events':
      return t('retry.from-events', 'the events');
    case 'edited':
      return t('retry.from-hand', 'hand');
  }
}

interface Planned {
  readonly plan?: RetryPlan;
  /** Why there is no plan: the arguments are not known, or the agent cannot tell */
  readonly unknown?: string;
  readonly busy: boolean;
}

function useRetryPlan(source: CeleryDataSource, taskId: string): Planned {
  const [planned, setPlanned] = useState<Planned>({ busy: true });
  useEffect(() => {
    const subscription = source.client.retryPlan(taskId).subscribe({
      next: (plan) => setPlanned({ plan, busy: false }),
      error: (error: unknown) => setPlanned({ unknown: messageOf(error), busy: false }),
    });
    return () => subscription.unsubscribe();
  }, [source, taskId]);
  return planned;
}

/** Closing the dialog does not call back what was sent. */
function useRetry(source: CeleryDataSource, taskId: string, onSent: () => void) {
  const [state, setState] = useState<{ readonly retried?: Retried; readonly error?: unknown; readonly busy: boolean }>({
    busy: false,
  });
  const running = useRef(new Subscription());
  const send = (body: string) => {
    if (state.busy) {
      return;
    }
    setState({ busy: true });
    running.current = source.client.retry(taskId, body).subscribe({
      next: (retried) => {
        setState({ retried, busy: false });
        toast('success', t('retry.done', 'Task sent again'), retried.newTaskId);
        onSent();
      },
      error: (error: unknown) => setState({ error, busy: false }),
    });
  };
  return { ...state, send };
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: 640, maxWidth: `calc(100vw - ${theme.spacing(4)})` }),
  json: css({ fontFamily: theme.typography.fontFamilyMonospace, fontSize: theme.typography.bodySmall.fontSize }),
});
