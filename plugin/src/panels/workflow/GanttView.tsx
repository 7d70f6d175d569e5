import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useMemo, useRef } from 'react';
import { formatDuration, formatInstant } from '../../shared/ui/format';
import { GanttLine } from './GanttLine';
import { ticks, toGantt } from './model/gantt';
import type { Relations } from '../../shared/workflow/relations';
import { useWheelZoom } from './usePan';

interface GanttViewProps {
  readonly relations: Relations;
  readonly criticalIds: readonly string[];
  readonly nowMs: number;
  readonly timeZone: TimeZone;
  readonly width: number;
  readonly height: number;
  /** 1: the whole time fits */
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
  readonly onOpen: (taskId: string) => void;
}

const AXIS_HEIGHT = 24;
const ROW_HEIGHT = 26;
const PX_PER_TICK = 90;
/** At the right, for the last mark of the axis and short bars. */
const RIGHT_MARGIN = 24;

/** When each task waited and ran, one row each; only the rows on the screen are drawn. */
export function GanttView(props: GanttViewProps) {
  const { relations, criticalIds, nowMs, timeZone, width, height, zoom, onZoom, onOpen } = props;
  const styles = useStyles2(getStyles);
  const scrollRef = useRef<HTMLDivElement>(null);
  const gantt = useMemo(() => toGantt(relations, criticalIds, nowMs), [relations, criticalIds, nowMs]);
  const labelWidth = Math.min(Math.max(width * 0.24, 120), 260);
  const timeWidth = Math.max(width - labelWidth - RIGHT_MARGIN - 12, 80) * zoom;
  const spanMs = gantt.toMs - gantt.fromMs;
  const xOf = (ms: number) => ((ms - gantt.fromMs) / spanMs) * timeWidth;
  const virtual = useVirtualizer({
    count: gantt.rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT,
    initialRect: { width, height },
    overscan: 8,
  });
  useWheelZoom(scrollRef, zoom, onZoom);
  const innerWidth = labelWidth + timeWidth + RIGHT_MARGIN;
  return (
    <div ref={scrollRef} className={styles.scroll} style={{ height, width }}>
      <div style={{ width: innerWidth, height: virtual.getTotalSize() + AXIS_HEIGHT, position: 'relative' }}>
        <div className={styles.axis} style={{ paddingLeft: labelWidth }} aria-hidden>
          {ticks(spanMs, timeWidth / PX_PER_TICK).map((ms) => (
            <span
              key={ms}
              className={styles.tick}
              style={{ left: labelWidth + xOf(gantt.fromMs + ms) }}
              title={formatInstant(gantt.fromMs + ms, timeZone)}
            >
              {ms === 0 ? '0' : `+${formatDuration(ms)}`}
            </span>
          ))}
        </div>
        <div
          role="list"
          aria-label={t('workflow.gantt', 'Times of {{count}} tasks', { count: gantt.rows.length })}
          style={{ position: 'absolute', top: AXIS_HEIGHT, left: 0, width: innerWidth, height: virtual.getTotalSize() }}
        >
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = gantt.rows[index];
            return row === undefined ? null : (
              <GanttLine
                key={row.task.taskId}
                row={row}
                top={start}
                height={ROW_HEIGHT}
                labelWidth={labelWidth}
                xOf={xOf}
                index={index}
                count={gantt.rows.length}
                onOpen={onOpen}
              />
            );
          })}
          {gantt.open && (
            <div className={styles.now} style={{ left: labelWidth + xOf(Math.min(nowMs, gantt.toMs)) }}>
              <span>{t('workflow.now', 'now')}</span>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroll: css({ overflow: 'auto', position: 'relative' }),
  axis: css({
    position: 'sticky',
    top: 0,
    zIndex: 3,
    height: AXIS_HEIGHT,
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  tick: css({
    position: 'absolute',
    top: 3,
    paddingLeft: theme.spacing(0.5),
    borderLeft: `1px solid ${theme.colors.border.medium}`,
    whiteSpace: 'nowrap',
  }),
  now: css({
    position: 'absolute',
    top: 0,
    bottom: 0,
    width: 0,
    borderLeft: `2px dashed ${theme.colors.text.primary}`,
    pointerEvents: 'none',
    span: {
      position: 'sticky',
      top: AXIS_HEIGHT,
      paddingLeft: theme.spacing(0.25),
      fontSize: theme.typography.bodySmall.fontSize,
      color: theme.colors.text.primary,
    },
  }),
});
