import React, { useRef, useState } from 'react';
import { type ColumnChoice, type ColumnId, gapAt, placesTo } from './columnModel';

/** Less is a click by a hand that trembles. */
const LEAST_PX = 5;
/** So near an edge of a table wider than its panel, the table follows. */
const EDGE_PX = 32;
const FOLLOW_PX = 16;

export interface HeaderDrag {
  readonly id: ColumnId;
  /** Where it would come to stand, as `gapAt` counts */
  readonly gap: number;
}

interface HeaderDragOptions {
  readonly columns: readonly ColumnChoice[];
  readonly widths: readonly number[];
  /** Where the first column begins in the row of headers */
  readonly left: number;
  readonly onMove: (id: ColumnId, by: number) => void;
}

/** Moves columns by their headers: by drag, which Escape calls off, or by Shift and an arrow key. */
export function useHeaderDrag({ columns, widths, left, onMove }: HeaderDragOptions) {
  const [drag, setDrag] = useState<HeaderDrag>();
  const from = useRef<{ readonly x: number }>();
  /** The click that ends a drag does not sort. */
  const dragged = useRef(false);
  const end = () => {
    from.current = undefined;
    setDrag(undefined);
  };
  const handlers = (id: ColumnId) => ({
    onPointerDown: (event: React.PointerEvent) => {
      dragged.current = false;
      if (event.button === 0 && event.pointerType !== 'touch') {
        from.current = { x: event.clientX };
        event.currentTarget.setPointerCapture(event.pointerId);
      }
    },
    onPointerMove: (event: React.PointerEvent) => {
      if (from.current === undefined || (!dragged.current && Math.abs(event.clientX - from.current.x) < LEAST_PX)) {
        return;
      }
      dragged.current = true;
      followPointer(event);
      setDrag({ id, gap: gapAt(widths, event.clientX - rowLeft(event) - left) });
    },
    onPointerUp: () => {
      if (from.current !== undefined && drag !== undefined) {
        const place = columns.findIndex((column) => column.id === id);
        onMove(id, placesTo(drag.gap, place));
      }
      end();
    },
    onPointerCancel: end,
    onClickCapture: (event: React.MouseEvent) => {
      if (dragged.current) {
        dragged.current = false;
        event.stopPropagation();
      }
    },
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === 'Escape' && from.current !== undefined) {
        event.stopPropagation();
        end();
      } else if (event.shiftKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
        event.preventDefault();
        onMove(id, event.key === 'ArrowLeft' ? -1 : 1);
      }
    },
  });
  return { drag, handlers };
}

/** Left edge of the row of headers in the window, wherever the table is scrolled to. */
function rowLeft({ currentTarget }: React.PointerEvent): number {
  return currentTarget.closest('[role="row"]')?.getBoundingClientRect().left ?? 0;
}

function followPointer({ currentTarget, clientX }: React.PointerEvent): void {
  const table = currentTarget.closest('[role="grid"]');
  if (table !== null) {
    const { left, right } = table.getBoundingClientRect();
    table.scrollLeft += clientX < left + EDGE_PX ? -FOLLOW_PX : clientX > right - EDGE_PX ? FOLLOW_PX : 0;
  }
}
