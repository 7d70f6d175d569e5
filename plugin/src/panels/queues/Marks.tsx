import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { QueueMark } from './model';

interface MarksProps {
  readonly marks: readonly QueueMark[];
  readonly hasMessages: boolean;
}

/** What is wrong with a queue, in words. */
export function Marks({ marks, hasMessages }: MarksProps) {
  const styles = useStyles2(getStyles);
  return (
    <>
      {marks.includes('no-consumers') && (
        <span
          className={cx(styles.mark, hasMessages && styles.error)}
          title={t('queues.mark.no-consumers-title', 'No worker that is online takes messages from this queue.')}
        >
          <Icon name="exclamation-triangle" size="xs" />
          {t('queues.mark.no-consumers', 'no consumers')}
        </span>
      )}
      {marks.includes('growing') && (
        <span
          className={cx(styles.mark, styles.warning)}
          title={t('queues.mark.growing-title', 'More messages come in than are taken out.')}
        >
          <Icon name="arrow-up" size="xs" />
          {t('queues.mark.growing', 'growing')}
        </span>
      )}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  mark: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.25),
    padding: theme.spacing(0, 0.5),
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.colors.border.medium}`,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    flexShrink: 0,
    lineHeight: '18px',
  }),
  error: css({ color: theme.colors.error.text, borderColor: theme.colors.error.border }),
  warning: css({ color: theme.colors.warning.text, borderColor: theme.colors.warning.border }),
});
