import { type MouseEvent, type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';
import type { Layout, Place } from './model/layout';
import { MOST_ZOOM } from './Toolbar';

interface Pan {
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
}

/** Less than this is a click with an unsteady hand. */
const DRAG_FROM = 4;

/**
 * Moves the picture with the pointer, and zooms with Ctrl and the wheel; the wheel alone scrolls the dashboard. The
 * middle of the picture is what is kept, as a part of the whole, so that it stays when the panel or the zoom changes.
 */
export function usePan({ layout, width, height, scale, zoom, onZoom }: Pan) {
  const svgRef = useRef<SVGSVGElement>(null);
  const [middle, setMiddle] = useState<Place>({ x: 0.5, y: 0.5 });
  const drag = useRef<{ readonly from: Place; readonly middle: Place; moved: boolean }>();
  /** The click that ends a move opens nothing. */
  const dragged = useRef(false);
  useWheelZoom(svgRef, zoom, onZoom);

  const end = () => {
    dragged.current = drag.current?.moved === true;
    drag.current = undefined;
  };
  const at = zoom <= 1 ? { x: 0.5, y: 0.5 } : middle;
  const offset = { x: width / 2 - at.x * layout.width * scale, y: height / 2 - at.y * layout.height * scale };
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      drag.current = { from: { x: event.clientX, y: event.clientY }, middle: at, moved: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const current = drag.current;
      if (current === undefined) {
        return;
      }
      const [dx, dy] = [event.clientX - current.from.x, event.clientY - current.from.y];
      current.moved ||= Math.hypot(dx, dy) >= DRAG_FROM;
      if (current.moved && zoom > 1) {
        setMiddle({
          x: within(current.middle.x - dx / (layout.width * scale)),
          y: within(current.middle.y - dy / (layout.height * scale)),
        });
      }
    },
    onPointerUp: end,
    onPointerLeave: end,
    onClickCapture: (event: MouseEvent) => {
      if (dragged.current) {
        event.stopPropagation();
        dragged.current = false;
      }
    },
  };
  return { svgRef, offset, handlers };
}

const within = (part: number): number => Math.min(Math.max(part, 0), 1);

/** React's own wheel listener cannot keep the page from zooming. */
export function useWheelZoom(ref: RefObject<Element>, zoom: number, onZoom: (zoom: number) => void): void {
  useEffect(() => {
    const element = ref.current;
    const listen = (event: Event) => {
      const { ctrlKey, metaKey, deltaY } = event as WheelEvent;
      if (ctrlKey || metaKey) {
        event.preventDefault();
        onZoom(Math.min(Math.max(zoom * Math.exp(-deltaY / 300), 1), MOST_ZOOM));
      }
    };
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, [ref, zoom, onZoom]);
}
