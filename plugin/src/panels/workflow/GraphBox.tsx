import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useTheme2 } from '@grafana/ui';
import React, { memo } from 'react';
import { formatCount, formatDuration } from '../../shared/ui/format';
import { StateGlyph } from '../../shared/ui/StateBadge';
import { fillOf, lookOf, textColorOf } from '../../shared/ui/stateLook';
import type { Box } from './model/collapse';
import { BOX, type Place } from './model/layout';
import { shortName } from '../../shared/workflow/tasks';

interface GraphBoxProps {
  readonly box: Box;
  readonly place: Place;
  /** Of the hatching of the critical path */
  readonly patternId: string;
  readonly hasWords: boolean;
  /** Opens the task, or shows the many that the box stands for */
  readonly onOpen: () => void;
}

const NAME_LENGTH = 20;

/** One task, or "×120" of them. */
export const GraphBox = memo(function GraphBox({ box, place, patternId, hasWords, onOpen }: GraphBoxProps) {
  const theme = useTheme2();
  const { task, ids, critical } = box;
  const { shape, color } = lookOf(task.state);
  const label = labelOf(box);
  return (
    <g
      role="button"
      tabIndex={0}
      aria-label={label}
      className={boxStyle(theme)}
      transform={`translate(${place.x} ${place.y})`}
      onClick={onOpen}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          onOpen();
        }
      }}
    >
      <title>{label}</title>
      {ids.length > 1 && <rect x={5} y={5} width={BOX.width} height={BOX.height} rx={4} {...frameOf(theme, false)} />}
      <rect width={BOX.width} height={BOX.height} rx={4} {...frameOf(theme, critical)} />
      <rect width={6} height={BOX.height} rx={2} fill={fillOf(color, theme)} />
      {critical && <rect x={6} y={BOX.height - 5} width={BOX.width - 6} height={5} fill={`url(#${patternId})`} />}
      {hasWords && (
        <>
          <text x={14} y={18} fill={theme.colors.text.primary} fontSize={13}>
            {cut(shortName(task), ids.length > 1 ? NAME_LENGTH - 6 : NAME_LENGTH)}
          </text>
          {ids.length > 1 && (
            <text
              x={BOX.width - 8}
              y={18}
              textAnchor="end"
              fontSize={13}
              fontWeight={500}
              fill={theme.colors.text.primary}
            >
              ×{formatCount(ids.length)}
            </text>
          )}
          <g transform="translate(14 25)" color={textColorOf(color, theme)}>
            <StateGlyph shape={shape} />
          </g>
          <text x={30} y={35} fontSize={11} fill={theme.colors.text.secondary}>
            {secondLine(box)}
          </text>
        </>
      )}
    </g>
  );
});

function frameOf(theme: GrafanaTheme2, critical: boolean) {
  return {
    fill: theme.colors.background.secondary,
    stroke: critical ? theme.colors.text.primary : theme.colors.border.strong,
    strokeWidth: critical ? 2.5 : 1,
  };
}

function secondLine({ task: { state, runtimeMs, retries }, ids }: Box): string {
  const tries = retries !== null && retries > 0 ? ` · ↻${retries}` : '';
  return runtimeMs === null || ids.length > 1 ? `${state}${tries}` : `${state} · ${formatDuration(runtimeMs)}${tries}`;
}

function labelOf({ task, ids, critical }: Box): string {
  const words = [
    task.name ?? task.taskId,
    task.state,
    ids.length > 1 ? t('workflow.box.many', '{{count}} tasks, press to show each', { count: ids.length }) : '',
    ids.length === 1 && task.runtimeMs !== null ? formatDuration(task.runtimeMs) : '',
    task.retries !== null && task.retries > 0
      ? t('workflow.box.retries', '{{count}} retries', { count: task.retries })
      : '',
    critical ? t('workflow.box.critical', 'on the critical path') : '',
  ];
  return words.filter((word) => word !== '').join(', ');
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const boxStyle = (theme: GrafanaTheme2) =>
  css({
    cursor: 'pointer',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: 2 },
    '&:hover rect:nth-of-type(1)': { fill: theme.colors.action.hover },
  });
