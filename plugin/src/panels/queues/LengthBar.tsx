import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { formatCount } from '../../shared/ui/format';

interface LengthBarProps {
  readonly messages: number | undefined;
  /** Length of the whole bar */
  readonly most: number;
  readonly color: string;
}

/** The number beside a bar, so that neither colour nor length is needed to read it. */
export function LengthBar({ messages, most, color }: LengthBarProps) {
  const styles = useStyles2(getStyles);
  const part = messages === undefined || most <= 0 ? 0 : Math.min(messages / most, 1);
  return (
    <span className={styles.whole}>
      <span className={styles.number}>{formatCount(messages)}</span>
      <span className={styles.bar} aria-hidden>
        <span
          className={styles.fill}
          style={{ width: `${part * 100}%`, minWidth: part > 0 ? 2 : 0, background: color }}
        />
      </span>
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  whole: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.5), height: '100%' }),
  number: css({ minWidth: 56, textAlign: 'right' }),
  bar: css({ flex: 1, height: 12, borderRadius: 2, background: theme.colors.background.secondary, overflow: 'hidden' }),
  fill: css({ display: 'block', height: '100%' }),
});
