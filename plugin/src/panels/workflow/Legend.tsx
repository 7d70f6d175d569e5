import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useMemo } from 'react';
import { StateBadge } from '../../shared/ui/StateBadge';
import type { Relations } from '../../shared/workflow/relations';
import { getBarStyles } from './styles';
import type { WorkflowView } from './types';

export const LEGEND_HEIGHT = 30;

/** What pictures and patterns mean; only what there is. */
export function Legend({ relations, view }: { readonly relations: Relations; readonly view: WorkflowView }) {
  const styles = useStyles2(getStyles);
  const states = useMemo(() => [...new Set([...relations.tasks.values()].map(({ state }) => state))], [relations]);
  const hasJoin = relations.edges.some(({ kind }) => kind === 'join');
  const hasRetries = [...relations.tasks.values()].some(({ retries }) => (retries ?? 0) > 0);
  return (
    <ul className={styles.legend} aria-label={t('workflow.legend.label', 'Legend')}>
      {states.map((state) => (
        <li key={state}>
          <StateBadge state={state} />
        </li>
      ))}
      {view === 'gantt' && (
        <>
          <Swatch kind="wait" text={t('workflow.legend.wait', 'waits for a worker')} />
          <Swatch kind="run" text={t('workflow.legend.run', 'runs')} />
          {hasRetries && <Swatch kind="tries" text={t('workflow.legend.tries', 'earlier tries; ↻ retries')} />}
          <Swatch kind="run" critical text={t('workflow.legend.critical', 'critical path')} />
        </>
      )}
      {view === 'graph' && (
        <>
          <li>
            <Line width={3} />
            {t('workflow.legend.critical', 'critical path')}
          </li>
          {hasJoin && (
            <li title={t('workflow.legend.join-title', 'Events do not tell of chords: told by times')}>
              <Line width={1.5} dashed />
              {t('workflow.legend.join', 'chord: all must end first')}
            </li>
          )}
        </>
      )}
    </ul>
  );
}

function Swatch({ kind, critical, text }: { kind: 'wait' | 'run' | 'tries'; critical?: boolean; text: string }) {
  const styles = useStyles2(getStyles);
  const bars = useStyles2(getBarStyles);
  return (
    <li>
      <span className={bars.swatch} aria-hidden>
        <span
          className={cx(bars[kind], kind === 'run' && styles.run, critical === true && bars.critical)}
          style={{ top: kind === 'wait' ? 8 : 2 }}
        />
      </span>
      {text}
    </li>
  );
}

function Line({ width, dashed = false }: { readonly width: number; readonly dashed?: boolean }) {
  const styles = useStyles2(getStyles);
  return (
    <svg width={28} height={10} aria-hidden className={styles.line}>
      <line x1={0} x2={28} y1={5} y2={5} strokeWidth={width} strokeDasharray={dashed ? '5 4' : undefined} />
    </svg>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  legend: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(2),
    height: LEGEND_HEIGHT,
    flexShrink: 0,
    padding: theme.spacing(0, 1),
    overflowX: 'auto',
    listStyle: 'none',
    whiteSpace: 'nowrap',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    li: { display: 'inline-flex', alignItems: 'center', gap: theme.spacing(0.5) },
  }),
  run: css({ backgroundColor: theme.colors.success.main }),
  line: css({ stroke: theme.colors.text.primary, flexShrink: 0 }),
});
