import type { Graph } from './collapse';

export const BOX = { width: 176, height: 46 } as const;
const GAP = { x: 56, y: 14 } as const;

export interface Place {
  /** Left upper corner, px */
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  readonly width: number;
  readonly height: number;
}

/**
 * Layers from left to right. Within them boxes stand as in a tree: each end of a way has a line of its own, and what
 * leads there stands in the middle before it; so no two boxes meet. The callback of a chord hangs on the middle one of
 * its header.
 */
export function layOut({ boxes, edges }: Graph): Layout {
  const children = treeOf({ boxes, edges });
  const lines = linesOf([...boxes.keys()], children);
  const places = new Map<string, Place>();
  let [width, height] = [0, 0];
  for (const box of boxes.values()) {
    const place = { x: box.layer * (BOX.width + GAP.x), y: (lines.get(box.id) ?? 0) * (BOX.height + GAP.y) };
    places.set(box.id, place);
    width = Math.max(width, place.x + BOX.width);
    height = Math.max(height, place.y + BOX.height);
  }
  return { places, width, height };
}

/** Children by the one that each hangs on: the middle one of all it comes after. */
function treeOf({ boxes, edges }: Graph): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const list = before.get(to);
    if (list === undefined) {
      before.set(to, [from]);
    } else {
      list.push(from);
    }
  }
  const children = new Map<string, string[]>();
  for (const id of boxes.keys()) {
    const sources = before.get(id) ?? [];
    const parent = sources[Math.floor((sources.length - 1) / 2)];
    if (parent !== undefined) {
      children.set(parent, [...(children.get(parent) ?? []), id]);
    }
  }
  return children;
}

/** The line of each box, 0 the uppermost; halves for what stands between two. */
function linesOf(ids: readonly string[], children: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const lines = new Map<string, number>();
  const isChild = new Set([...children.values()].flat());
  let free = 0;
  for (const root of ids.filter((id) => !isChild.has(id))) {
    const stack = [{ id: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const own = children.get(top.id) ?? [];
      const child = own[top.next];
      top.next += 1;
      if (child !== undefined) {
        stack.push({ id: child, next: 0 });
        continue;
      }
      const [first, last] = [lines.get(own[0] ?? ''), lines.get(own.at(-1) ?? '')];
      lines.set(top.id, first === undefined || last === undefined ? free++ : (first + last) / 2);
      stack.pop();
    }
  }
  return lines;
}
