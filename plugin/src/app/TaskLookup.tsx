import { t, Trans } from '@grafana/i18n';
import { locationService } from '@grafana/runtime';
import { Button, Combobox, Field, Input, Stack } from '@grafana/ui';
import React, { type FormEvent, useState } from 'react';
import { firstValueFrom } from 'rxjs';
import { AgentClient, AgentError } from '../shared/client';
import type { AgentSource } from './AgentCard';
import { dashboardPath } from './dashboards';

/** Opens a task by its id, and says so when there is none. */
export function TaskLookup({ sources }: { readonly sources: readonly AgentSource[] }) {
  const [id, setId] = useState('');
  const [uid, setUid] = useState(sources[0]?.uid);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const source = sources.find((one) => one.uid === uid) ?? sources[0];

  const open = async (event: FormEvent) => {
    event.preventDefault();
    const taskId = id.trim();
    if (source === undefined || taskId === '') {
      return;
    }
    setBusy(true);
    const found = await problemOf(source, taskId);
    setBusy(false);
    setProblem(found);
    if (found === undefined) {
      locationService.push(dashboardPath('task', { datasource: source.uid, taskId }));
    }
  };

  return (
    <form onSubmit={open}>
      <Field
        noMargin
        label={t('app.lookup.label', 'Open a task by its id')}
        invalid={problem !== undefined}
        error={problem}
      >
        <Stack direction="row" gap={1}>
          <Input
            id="celery-task-id"
            width={48}
            value={id}
            placeholder="d2c5f8a0-7f3f-4b57-a9a5-0d5a9ce9d9d1"
            aria-label={t('app.lookup.input', 'Task id')}
            onChange={(event) => setId(event.currentTarget.value)}
          />
          {sources.length > 1 && (
            <Combobox
              width={24}
              aria-label={t('app.lookup.source', 'Data source')}
              options={sources.map(({ uid: value, name: label }) => ({ value, label }))}
              value={source?.uid ?? null}
              onChange={(choice) => setUid(choice.value)}
            />
          )}
          <Button type="submit" disabled={busy || id.trim() === ''} icon={busy ? 'spinner' : 'search'}>
            <Trans i18nKey="app.lookup.open">Open task</Trans>
          </Button>
        </Stack>
      </Field>
    </form>
  );
}

/** Why the task cannot be opened; undefined when it is there. */
async function problemOf(source: AgentSource, taskId: string): Promise<string | undefined> {
  try {
    await firstValueFrom(new AgentClient(source.url).task(taskId));
    return undefined;
  } catch (error) {
    if (error instanceof AgentError && error.status === 404) {
      return t('app.lookup.unknown', 'No task with this id is known to {{name}}.', { name: source.name });
    }
    return error instanceof Error ? error.message : String(error);
  }
}
