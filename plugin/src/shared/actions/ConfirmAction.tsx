import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, Button, Field, Input, Modal, Spinner, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';
import type { Observable, Subscription } from 'rxjs';
import type { CommandOutcome } from '../api';
import { messageOf } from '../ui/Answers';
import { useReturnFocus } from '../ui/useReturnFocus';
import { Outcome } from './Outcome';
import { severityOf, toast } from './toasts';

export interface ConfirmActionProps {
  readonly title: string;
  /** Of the button that does it, e.g. "Revoke" */
  readonly confirmLabel: string;
  /** What will happen, in one sentence, and anything else worth knowing; fields to fill in */
  readonly children: React.ReactNode;
  readonly destructive?: boolean;
  /** A word to type before it may be pressed */
  readonly typed?: string;
  /** Why it may not be sent yet, e.g. a field that is wrong */
  readonly blocked?: string;
  /** Instead of the answers of workers: for what they are not asked */
  readonly outcomeText?: string;
  readonly run: () => Observable<CommandOutcome>;
  /** After it went out, whether or not the dialog is still open */
  readonly onSent: () => void;
  readonly onClose: () => void;
}

/** Asks first, then does it, then shows what each worker said. Closing it does not call back what was sent. */
export function ConfirmAction(props: ConfirmActionProps) {
  const { title, confirmLabel, children, destructive = false, typed, blocked, outcomeText, onClose } = props;
  const styles = useStyles2(getStyles);
  const { outcome, error, busy, start } = useOrder(props);
  const [word, setWord] = useState('');
  useReturnFocus();
  const untyped = typed !== undefined && word.trim() !== typed;
  return (
    <Modal title={title} isOpen onDismiss={onClose} className={styles.modal}>
      {outcome === undefined ? children : <OutcomeSummary outcome={outcome} text={outcomeText} />}
      {outcome === undefined && typed !== undefined && (
        <Field label={t('confirm.type', 'Type "{{word}}" to confirm', { word: typed })} htmlFor="confirm-word">
          <Input
            id="confirm-word"
            value={word}
            autoComplete="off"
            onChange={(event) => setWord(event.currentTarget.value)}
          />
        </Field>
      )}
      {error !== undefined && <Alert severity="error" title={messageOf(error)} />}
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {outcome === undefined ? t('confirm.cancel', 'Cancel') : t('confirm.close', 'Close')}
        </Button>
        {outcome === undefined && (
          <Button
            variant={destructive ? 'destructive' : 'primary'}
            disabled={busy || untyped || blocked !== undefined}
            tooltip={blocked}
            onClick={start}
          >
            {busy ? <Spinner inline /> : null} {confirmLabel}
          </Button>
        )}
      </Modal.ButtonRow>
    </Modal>
  );
}

function OutcomeSummary({ outcome, text }: { readonly outcome: CommandOutcome; readonly text: string | undefined }) {
  return (
    <>
      <p>{outcome.says}</p>
      {text === undefined ? <Outcome outcome={outcome} /> : <p role="status">{text}</p>}
    </>
  );
}

/** What was sent is not called back when the dialog closes: its answer then comes as a message in the corner. */
function useOrder({ title, run, onSent }: ConfirmActionProps) {
  const [outcome, setOutcome] = useState<CommandOutcome>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const sent = useRef<Subscription>();
  const open = useRef(true);
  useEffect(() => {
    open.current = true;
    return () => {
      open.current = false;
    };
  }, []);
  const start = () => {
    if (sent.current !== undefined && !sent.current.closed) {
      return;
    }
    setBusy(true);
    setError(undefined);
    sent.current = run().subscribe({
      next: (answer) => {
        toast(severityOf(answer), title, answer.says);
        onSent();
        if (open.current) {
          setOutcome(answer);
          setBusy(false);
        }
      },
      error: (problem: unknown) => {
        if (open.current) {
          setError(problem);
          setBusy(false);
        } else {
          toast('error', title, messageOf(problem));
        }
      },
    });
  };
  return { outcome, error, busy, start };
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: 560, maxWidth: `calc(100vw - ${theme.spacing(4)})` }),
});
