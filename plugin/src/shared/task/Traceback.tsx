import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, ClipboardButton, useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import { parseTraceback, type TraceFrame, type TracePart } from './tracebackModel';

/** A Python traceback with the calls inside libraries folded. */
export function Traceback({ text }: { readonly text: string }) {
  const styles = useStyles2(getStyles);
  const parts = useMemo(() => parseTraceback(text), [text]);
  return (
    <div className={styles.box}>
      <ClipboardButton
        className={styles.copy}
        size="sm"
        variant="secondary"
        fill="text"
        icon="copy"
        getText={() => text}
      >
        {t('traceback.copy', 'Copy')}
      </ClipboardButton>
      <div className={styles.parts} role="region" aria-label={t('traceback.title', 'Traceback')} tabIndex={0}>
        {parts.map((part, index) => (
          <Part key={index} part={part} />
        ))}
      </div>
    </div>
  );
}

function Part({ part }: { readonly part: TracePart }) {
  const styles = useStyles2(getStyles);
  switch (part.kind) {
    case 'text':
      return <div className={styles.text}>{part.text}</div>;
    case 'frame':
      return <Call frame={part.frame} />;
    case 'folded':
      return <Folded frames={part.frames} />;
  }
}

function Folded({ frames }: { readonly frames: readonly TraceFrame[] }) {
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Button
        size="sm"
        variant="secondary"
        fill="text"
        icon={open ? 'angle-down' : 'angle-right'}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {t('traceback.library', '{{count}} call(s) in libraries', { count: frames.length })}
      </Button>
      {open && frames.map((frame, index) => <Call key={index} frame={frame} />)}
    </div>
  );
}

function Call({ frame }: { readonly frame: TraceFrame }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={cx(styles.call, frame.library && styles.library)}>
      <div className={styles.place}>
        {frame.file}:{frame.line} <strong>{frame.function}</strong>
      </div>
      {frame.source.length > 0 && <div className={styles.source}>{frame.source.join('\n')}</div>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  box: css({
    position: 'relative',
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
  }),
  copy: css({ position: 'absolute', top: 4, right: 4, zIndex: 1 }),
  parts: css({
    maxHeight: 420,
    overflow: 'auto',
    padding: theme.spacing(1),
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  text: css({ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontWeight: theme.typography.fontWeightMedium }),
  call: css({
    padding: theme.spacing(0.5, 0, 0.5, 1),
    borderLeft: `2px solid ${theme.colors.primary.border}`,
    margin: theme.spacing(0.25, 0),
  }),
  library: css({ borderLeftColor: theme.colors.border.medium, color: theme.colors.text.secondary }),
  place: css({
    overflowWrap: 'anywhere',
    color: theme.colors.text.secondary,
    strong: { color: theme.colors.text.primary },
  }),
  source: css({ whiteSpace: 'pre', overflowX: 'auto' }),
});
