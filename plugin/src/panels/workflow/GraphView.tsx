import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useId, useMemo, useState } from 'react';
import { GraphBox } from './GraphBox';
import { collapse, type BoxEdge } from './model/collapse';
import { BOX, layOut, type Layout, type Place } from './model/layout';
import type { Relations } from '../../shared/workflow/relations';
import { usePan } from './usePan';

interface GraphViewProps {
  readonly relations: Relations;
  readonly criticalIds: readonly string[];
  readonly collapseFrom: number;
  readonly width: number;
  readonly height: number;
  /** 1: all of it fits */
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
  readonly onOpen: (taskId: string) => void;
}

const MARGIN = 16;
/** Small graphs are not blown up. */
const MOST_SCALE = 1.2;
/** Below it the words of a box could not be read. */
const WORDS_FROM = 0.45;
const NONE: ReadonlySet<string> = new Set();

/** Tasks as boxes from left to right, each right of what it comes after. */
export function GraphView(props: GraphViewProps) {
  const { relations, criticalIds, collapseFrom, width, height, zoom, onZoom, onOpen } = props;
  const styles = useStyles2(getStyles);
  const patternId = `critical-${useId().replaceAll(':', '')}`;
  const [expanded, setExpanded] = useState(NONE);
  const graph = useMemo(
    () => collapse(relations, { from: collapseFrom, criticalIds, expanded }),
    [relations, collapseFrom, criticalIds, expanded],
  );
  const layout = useMemo(() => layOut(graph), [graph]);
  const fit = Math.min((width - 2 * MARGIN) / layout.width, (height - 2 * MARGIN) / layout.height, MOST_SCALE);
  const scale = fit * zoom;
  const { svgRef, offset, handlers } = usePan({ layout, width, height, scale, zoom, onZoom });
  const isSeen = seenBy({ width, height, scale, offset });
  const boxes = [...graph.boxes.values()].flatMap((box) => {
    const place = layout.places.get(box.id);
    return place !== undefined && isSeen(place, place) ? [{ box, place }] : [];
  });
  return (
    <svg
      ref={svgRef}
      className={styles.canvas}
      width={width}
      height={height}
      role="group"
      aria-label={t('workflow.graph', 'Graph of {{count}} tasks', { count: relations.tasks.size })}
      {...handlers}
    >
      <defs>
        <pattern id={patternId} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="3" height="6" className={styles.hatch} />
        </pattern>
      </defs>
      <g transform={`translate(${offset.x} ${offset.y}) scale(${scale})`}>
        {graph.edges.map((edge) => (
          <EdgeLine key={`${edge.from} ${edge.to}`} edge={edge} layout={layout} isSeen={isSeen} />
        ))}
        {boxes.map(({ box, place }) => (
          <GraphBox
            key={box.id}
            box={box}
            place={place}
            patternId={patternId}
            hasWords={scale >= WORDS_FROM}
            onOpen={() => (box.ids.length > 1 ? setExpanded(new Set([...expanded, box.group])) : onOpen(box.id))}
          />
        ))}
      </g>
    </svg>
  );
}

type IsSeen = (from: Place, to: Place) => boolean;

/** Whether anything between two boxes is on the screen: of thousands only those are drawn. */
function seenBy(view: { width: number; height: number; scale: number; offset: Place }): IsSeen {
  const { width, height, scale, offset } = view;
  const [left, top] = [-offset.x / scale, -offset.y / scale];
  const [right, bottom] = [left + width / scale, top + height / scale];
  return (from, to) =>
    Math.max(from.x, to.x) + BOX.width >= left &&
    Math.min(from.x, to.x) <= right &&
    Math.max(from.y, to.y) + BOX.height >= top &&
    Math.min(from.y, to.y) <= bottom;
}

interface EdgeLineProps {
  readonly edge: BoxEdge;
  readonly layout: Layout;
  readonly isSeen: IsSeen;
}

function EdgeLine({ edge: { from, to, kind, critical }, layout, isSeen }: EdgeLineProps) {
  const styles = useStyles2(getStyles);
  const [source, target] = [layout.places.get(from), layout.places.get(to)];
  if (source === undefined || target === undefined || !isSeen(source, target)) {
    return null;
  }
  const [x1, y1] = [source.x + BOX.width, source.y + BOX.height / 2];
  const [x2, y2] = [target.x, target.y + BOX.height / 2];
  const bend = Math.max((x2 - x1) / 2, 20);
  return (
    <path
      d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
      className={critical ? styles.criticalEdge : styles.edge}
      strokeDasharray={kind === 'join' ? '5 4' : undefined}
    />
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  canvas: css({ display: 'block', cursor: 'grab', touchAction: 'none', '&:active': { cursor: 'grabbing' } }),
  hatch: css({ fill: theme.colors.text.primary }),
  edge: css({ fill: 'none', stroke: theme.colors.border.strong, strokeWidth: 1.5 }),
  criticalEdge: css({ fill: 'none', stroke: theme.colors.text.primary, strokeWidth: 3 }),
});
