import { t } from '@grafana/i18n';
import { Button, Spinner } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';
import { Subscription } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskResult } from '../api';
import { Failed } from '../ui/Answers';
import { Payload } from './Payload';
import { Traceback } from './Traceback';

interface Look {
  readonly found?: TaskResult;
  readonly error?: unknown;
}

/** The result as the result backend has it, in full: events carry a cut text. Looked up only when asked for. */
export function StoredResult({ source, taskId }: { readonly source: CeleryDataSource; readonly taskId: string }) {
  const [look, setLook] = useState<Look>({});
  const [busy, setBusy] = useState(false);
  const running = useRef(new Subscription());
  useEffect(() => () => running.current.unsubscribe(), []);
  const start = () => {
    setBusy(true);
    running.current.unsubscribe();
    running.current = source.client.result(taskId).subscribe({
      next: (found) => setLook({ found }),
      error: (error: unknown) => {
        setLook({ error });
        setBusy(false);
      },
      complete: () => setBusy(false),
    });
  };
  return (
    <>
      {look.error !== undefined && <Failed error={look.error} />}
      {look.found !== undefined && <Found result={look.found} />}
      <Button size="sm" variant="secondary" icon="database" disabled={busy} onClick={start}>
        {busy ? <Spinner inline /> : null} {t('task.look-up', 'Look up in the result backend')}
      </Button>
    </>
  );
}

function Found({ result: { state, resultJson, resultRepr, traceback } }: { readonly result: TaskResult }) {
  return (
    <div role="status">
      <p>
        {state === 'PENDING'
          ? t(
              'task.backend-nothing',
              'The result backend knows nothing of it: it ignores results, has forgotten them, or the task has not ended.',
            )
          : t('task.backend-state', 'State in the result backend: {{state}}', { state })}
      </p>
      {(resultJson ?? resultRepr) !== undefined && (
        <Payload label={t('task.stored', 'Stored result')} text={resultJson ?? resultRepr} />
      )}
      {traceback !== undefined && traceback !== '' && <Traceback text={traceback} />}
    </div>
  );
}
