import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { memo } from 'react';
import { orphanText } from '../task/marks';
import { describeState, lookOf, type StateColor, type StateShape, textColorOf } from './stateLook';

/**
 * Drawn here instead of by Grafana's `Icon`, which loads each picture after it is mounted: a table that scrolls would
 * flicker.
 */
const SHAPES: Readonly<Record<StateShape, string>> = {
  dot: 'M8 4.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z',
  inbox: 'M7 2h2v5h2.5L8 10.5L4.500 7H7zM2.500 11.500h11v2h-11z',
  play: 'M4.500 2.500l9 5.500l-9 5.500z',
  check: 'M6.300 12.800L2 8.500l1.500-1.500l2.800 2.800l6.200-6.300l1.500 1.500z',
  cross: 'M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 1 0 0-13zM7 4.500h2v4.500h-2zM7 10h2v2h-2z',
  retry: 'M8 3a5 5 0 1 0 5 5h-2a3 3 0 1 1-3-3v2.500l4-3.500l-4-3.500z',
  ban: 'M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 1 0 0-13zM3.500 8c0-.9.300-1.800.700-2.500l6.300 6.300A4.500 4.500 0 0 1 3.500 8zM5.500 4.200A4.500 4.500 0 0 1 11.800 10.500z',
  minus: 'M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 1 0 0-13zM4.500 7h7v2h-7z',
  ring: 'M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 1 0 0-11zM8 4.500a3.500 3.500 0 1 1 0 7a3.500 3.500 0 1 1 0-7z',
};

/**
 * A task's state as picture and word. An orphaned task shows that nobody works on it in place of its state, which it
 * will not leave any more.
 */
export const StateBadge = memo(function StateBadge({ state, orphaned }: StateBadgeProps) {
  const styles = useStyles2(getStyles);
  if (orphaned !== undefined && orphaned !== null) {
    return (
      <span className={`${styles.badge} ${styles.warning}`} title={`${state}: ${orphanText(orphaned)}`}>
        <StateGlyph shape="ban" />
        {t('state.orphaned', 'ORPHANED')}
      </span>
    );
  }
  const { shape, color } = lookOf(state);
  return (
    <span className={`${styles.badge} ${styles[color]}`} title={describeState(state)}>
      <StateGlyph shape={shape} />
      {state}
    </span>
  );
});

interface StateBadgeProps {
  readonly state: string;
  /** Why nobody works on it any more, as the agent tells it */
  readonly orphaned?: string | null;
}

/** The picture alone, in the colour of the text around it. */
export function StateGlyph({ shape }: { readonly shape: StateShape }) {
  return (
    <svg
      width="12"
      height="12"
      viewBox="0 0 16 16"
      fill="currentColor"
      fillRule="evenodd"
      aria-hidden
      focusable={false}
    >
      <path d={SHAPES[shape]} />
    </svg>
  );
}

const COLORS: readonly StateColor[] = ['secondary', 'info', 'primary', 'success', 'warning', 'error'];

function getStyles(theme: GrafanaTheme2): Record<StateColor | 'badge', string> {
  const colors = COLORS.map((color) => [color, css({ color: textColorOf(color, theme) })] as const);
  return {
    badge: css({
      display: 'inline-flex',
      alignItems: 'center',
      // On the line of the text beside it: by its base line it would stand on the picture's lower edge.
      verticalAlign: 'top',
      gap: theme.spacing(0.5),
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
      whiteSpace: 'nowrap',
      svg: { flexShrink: 0 },
    }),
    ...(Object.fromEntries(colors) as Record<StateColor, string>),
  };
}
