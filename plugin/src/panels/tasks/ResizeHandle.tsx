import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useRef } from 'react';
import { WIDTH_STEP } from './columnModel';

interface ResizeHandleProps {
  /** Of the column */
  readonly title: string;
  readonly width: number;
  /** `done` false: still being dragged */
  readonly onWidth: (width: number, done: boolean) => void;
}

/** The right edge of a header: its column's width, by drag or arrow keys. */
export function ResizeHandle({ title, width, onWidth }: ResizeHandleProps) {
  const styles = useStyles2(getStyles);
  const from = useRef<{ readonly x: number; readonly width: number }>();
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('tasks.width', 'Width of {{column}}', { column: title })}
      aria-valuenow={width}
      tabIndex={0}
      className={styles.handle}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowLeft' ? -WIDTH_STEP : event.key === 'ArrowRight' ? WIDTH_STEP : 0;
        if (by !== 0) {
          event.preventDefault();
          onWidth(width + by, true);
        }
      }}
      onPointerDown={(event) => {
        from.current = { x: event.clientX, width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) =>
        from.current !== undefined && onWidth(from.current.width + event.clientX - from.current.x, false)
      }
      onPointerUp={(event) => {
        if (from.current !== undefined && event.clientX !== from.current.x) {
          onWidth(from.current.width + event.clientX - from.current.x, true);
        }
        from.current = undefined;
      }}
      onPointerCancel={() => {
        from.current = undefined;
      }}
    />
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  handle: css({
    position: 'absolute',
    top: 4,
    bottom: 4,
    right: -3,
    width: 7,
    cursor: 'col-resize',
    touchAction: 'none',
    zIndex: 1,
    '&::after': {
      content: '""',
      position: 'absolute',
      left: 3,
      top: 0,
      bottom: 0,
      width: 1,
      background: theme.colors.border.weak,
    },
    '&:hover::after, &:focus-visible::after': { width: 3, left: 2, background: theme.colors.primary.main },
    '&:focus-visible': { outline: 'none' },
  }),
});
