import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Alert, Button, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import React from 'react';
import { Failed } from '../../../shared/ui/Answers';
import type { Inspection } from './useInspect';

interface InspectViewProps {
  readonly inspection: Inspection;
  readonly onAsk: () => void;
  /** Further buttons beside "Ask again" */
  readonly actions?: React.ReactNode;
  readonly children: (reply: unknown) => React.ReactNode;
}

/** An answer of a worker, or why there is none. */
export function InspectView({ inspection, onAsk, actions, children }: InspectViewProps) {
  const styles = useStyles2(getStyles);
  switch (inspection.state) {
    case 'asking':
      return <LoadingPlaceholder text={t('worker.asking', 'Asking the worker…')} />;
    case 'failed':
      return <Failed error={inspection.error} onRetry={onAsk} />;
    case 'silent':
      return (
        <Alert severity="warning" title={t('worker.silent', 'The worker did not answer in time')}>
          <p>
            {t('worker.silent-why', 'It is offline, or too busy to answer: a solo worker answers between two tasks.')}
          </p>
          <Button size="sm" variant="secondary" icon="sync" onClick={onAsk}>
            {t('worker.ask-again', 'Ask again')}
          </Button>
        </Alert>
      );
    case 'refused':
      return (
        <Alert severity="error" title={t('worker.refused', 'The worker refused')}>
          {inspection.error}
        </Alert>
      );
    case 'told':
      return (
        <>
          <div className={styles.bar}>
            <Button size="sm" variant="secondary" fill="outline" icon="sync" onClick={onAsk}>
              {t('worker.ask-again', 'Ask again')}
            </Button>
            {actions}
          </div>
          {children(inspection.reply)}
        </>
      );
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({ display: 'flex', gap: theme.spacing(1), marginBottom: theme.spacing(1) }),
});
