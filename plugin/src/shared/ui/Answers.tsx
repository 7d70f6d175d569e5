import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, Button, LoadingBar, useStyles2 } from '@grafana/ui';
import React, { useEffect, useState } from 'react';

/** An answer without rows: says why, and what to do. */
export function NoRows({ title, children }: { readonly title: string; readonly children?: React.ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.empty} role="status">
      <p className={styles.title}>{title}</p>
      {children}
    </div>
  );
}

/** A request that failed, with the agent's own sentence. */
export function Failed({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <Alert severity="error" title={t('ui.failed', 'The agent could not answer')}>
      <p>{messageOf(error)}</p>
      {onRetry !== undefined && (
        <Button size="sm" variant="secondary" icon="sync" onClick={onRetry}>
          {t('ui.try-again', 'Try again')}
        </Button>
      )}
    </Alert>
  );
}

/** Most people wonder whether it hangs after about so long. */
const SLOW_MS = 3000;

/** A bar while an answer is awaited; after some seconds it says so in words. Takes no height of its own. */
export function Waiting({ width }: { readonly width: number }) {
  const styles = useStyles2(getStyles);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={styles.waiting} role="status" aria-label={t('ui.loading', 'Loading')}>
      <LoadingBar width={width} />
      {slow && <span className={styles.slow}>{t('ui.slow', 'Still waiting for the agent…')}</span>}
    </div>
  );
}

/** The sentence of an error: the agent's, Grafana's, or its own text. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) {
    return error.message;
  }
  const told = error as { data?: { message?: unknown }; statusText?: unknown } | null | undefined;
  const text = told?.data?.message ?? told?.statusText;
  return typeof text === 'string' && text !== '' ? text : String(error);
}

const getStyles = (theme: GrafanaTheme2) => ({
  empty: css({
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    gap: theme.spacing(1),
    height: '100%',
    padding: theme.spacing(2),
    textAlign: 'center',
    color: theme.colors.text.secondary,
  }),
  title: css({ margin: 0, color: theme.colors.text.primary }),
  waiting: css({ position: 'absolute', top: 0, left: 0, right: 0, height: 0, zIndex: 2, textAlign: 'center' }),
  slow: css({
    display: 'inline-block',
    marginTop: theme.spacing(0.5),
    padding: theme.spacing(0.25, 1),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
