import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { ClipboardButton, useStyles2 } from '@grafana/ui';
import React from 'react';
import { UNKNOWN } from '../ui/format';

/** A value as it was sent, to read and to copy. */
export function Payload({ label, text }: { readonly label: string; readonly text: string | null | undefined }) {
  const styles = useStyles2(getStyles);
  const known = text !== null && text !== undefined && text !== '';
  return (
    <div className={styles.payload}>
      <div className={styles.head}>
        <span className={styles.label}>{label}</span>
        {known && (
          <ClipboardButton
            size="sm"
            variant="secondary"
            fill="text"
            icon="copy"
            getText={() => text}
            aria-label={t('task.copy', 'Copy: {{label}}', { label })}
          />
        )}
      </div>
      <pre className={styles.text} aria-label={label} tabIndex={0}>
        {known ? text : UNKNOWN}
      </pre>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  payload: css({ marginBottom: theme.spacing(1) }),
  head: css({ display: 'flex', alignItems: 'center', justifyContent: 'space-between', minHeight: 24 }),
  label: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  text: css({
    margin: 0,
    padding: theme.spacing(1),
    maxHeight: 240,
    overflow: 'auto',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
