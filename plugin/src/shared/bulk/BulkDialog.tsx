import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, Button, Combobox, Field, Input, Modal, Spinner, Stack, useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskFilter } from '../api';
import { SIGNALS } from '../task/signals';
import { useReturnFocus } from '../ui/useReturnFocus';
import { type BulkKind, type BulkOrder, MOST_TASKS } from './bulkFlow';
import { BulkOutcome } from './BulkOutcome';
import { useBulk } from './useBulk';

export interface BulkDialogProps {
  readonly source: CeleryDataSource;
  readonly kind: BulkKind;
  readonly filter: TaskFilter;
  /** What the filter means, e.g. `12 selected tasks` */
  readonly about: string;
  readonly onClose: () => void;
}

const USUAL_LIMIT = 1000;

/** Revoke, terminate or retry many: looks first what would be hit, asks, then tells how it goes. */
export function BulkDialog({ source, kind, filter, about, onClose }: BulkDialogProps) {
  const styles = useStyles2(getStyles);
  const [limit, setLimit] = useState(String(USUAL_LIMIT));
  const [signal, setSignal] = useState('SIGTERM');
  useReturnFocus();
  const order: BulkOrder = { kind, filter, limit: Number(limit), signal };
  const { state, plan, edit, start, cancel } = useBulk(source, order);
  const { title, sentence, doIt } = wordsOf(kind);
  const problem = limitProblem(limit);
  const asks = state.step === 'asking' || state.step === 'planning' || state.step === 'planned';
  const busy = state.step === 'planning' || state.step === 'starting';
  const change = (set: (text: string) => void) => (text: string) => {
    set(text);
    edit();
  };
  return (
    <Modal title={title} isOpen onDismiss={onClose} className={styles.modal}>
      {asks && (
        <>
          <p>
            {about}. {sentence}
          </p>
          <Stack direction="row" gap={2} wrap="wrap">
            <Field
              label={t('bulk.limit', 'Most tasks that may be hit')}
              invalid={problem !== undefined}
              error={problem}
              htmlFor="bulk-limit"
            >
              <Input
                id="bulk-limit"
                type="number"
                width={16}
                min={1}
                max={MOST_TASKS}
                value={limit}
                onChange={(event) => change(setLimit)(event.currentTarget.value)}
              />
            </Field>
            {kind === 'terminate' && (
              <Field label={t('bulk.signal', 'Signal')} htmlFor="bulk-signal">
                <Combobox
                  id="bulk-signal"
                  width={16}
                  options={SIGNALS.map((value) => ({ value }))}
                  value={signal}
                  onChange={({ value }) => change(setSignal)(value)}
                />
              </Field>
            )}
          </Stack>
        </>
      )}
      {state.step === 'asking' && state.problem !== undefined && <Alert severity="error" title={state.problem} />}
      <BulkOutcome kind={kind} state={state} />
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {asks ? t('bulk.cancel', 'Cancel') : t('bulk.close', 'Close')}
        </Button>
        {state.step === 'running' && (
          <Button variant="destructive" fill="outline" disabled={state.cancelling} onClick={cancel}>
            {state.cancelling ? t('bulk.stopping', 'Stopping…') : t('bulk.stop', 'Stop')}
          </Button>
        )}
        {(state.step === 'asking' || state.step === 'planning') && (
          <Button variant="primary" disabled={busy || problem !== undefined} onClick={plan}>
            {busy ? <Spinner inline /> : null} {t('bulk.look', 'See what would be hit')}
          </Button>
        )}
        {state.step === 'planned' && (
          <Button
            variant={kind === 'retry' ? 'primary' : 'destructive'}
            disabled={state.plan.matched === 0}
            onClick={start}
          >
            {doIt(state.plan.matched)}
          </Button>
        )}
      </Modal.ButtonRow>
    </Modal>
  );
}

function limitProblem(text: string): string | undefined {
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= MOST_TASKS
    ? undefined
    : t('bulk.limit-problem', 'A whole number from 1 to {{most}}.', { most: MOST_TASKS });
}

function wordsOf(kind: BulkKind): { title: string; sentence: string; doIt: (count: number) => string } {
  switch (kind) {
    case 'revoke':
      return {
        title: t('bulk.revoke', 'Revoke tasks'),
        sentence: t(
          'bulk.revoke-says',
          'Workers will not start them; what runs already goes on, and what has ended is left alone.',
        ),
        doIt: (count) => t('bulk.revoke-do', 'Revoke {{count}} task(s)', { count }),
      };
    case 'terminate':
      return {
        title: t('bulk.terminate', 'Terminate tasks'),
        sentence: t(
          'bulk.terminate-says',
          'Workers will not start them, and the processes of those that run get the signal; what was half done stays so.',
        ),
        doIt: (count) => t('bulk.terminate-do', 'Terminate {{count}} task(s)', { count }),
      };
    case 'retry':
      return {
        title: t('bulk.retry', 'Retry tasks'),
        sentence: t('bulk.retry-says', 'Those that have ended are sent again as new tasks with their own arguments.'),
        doIt: (count) => t('bulk.retry-do', 'Retry {{count}} task(s)', { count }),
      };
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: 720, maxWidth: `calc(100vw - ${theme.spacing(4)})` }),
});
