import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

/** Stretches of a task's life: told apart by their pattern, not by colour alone. */
export const getBarStyles = (theme: GrafanaTheme2) => {
  const base = { position: 'absolute', top: 6, height: 13, borderRadius: 2 } as const;
  const stripes = (color: string) => `repeating-linear-gradient(135deg, ${color} 0 3px, transparent 3px 6px)`;
  return {
    run: css(base),
    wait: css({
      ...base,
      top: 11,
      height: 3,
      borderRadius: 0,
      background: theme.colors.text.disabled,
    }),
    tries: css({
      ...base,
      background: stripes(theme.colors.warning.main),
      border: `1px solid ${theme.colors.warning.main}`,
    }),
    /** Hatched strip below */
    critical: css({
      '&::after': {
        content: '""',
        position: 'absolute',
        left: 0,
        right: 0,
        bottom: 0,
        transform: 'translateY(5px)',
        height: 4,
        background: stripes(theme.colors.text.primary),
      },
    }),
    swatch: css({
      position: 'relative',
      display: 'inline-block',
      width: 28,
      height: 18,
      flexShrink: 0,
      span: { left: 0, width: 28 },
    }),
  };
};
