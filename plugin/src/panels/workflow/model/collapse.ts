import { listBy, type Edge, type Relations } from '../../../shared/workflow/relations';
import type { WorkflowTask } from '../../../shared/workflow/tasks';

/** A box of the graph: one task, or several that are alike. */
export interface Box {
  /** Id of its first task */
  readonly id: string;
  readonly task: WorkflowTask;
  /** All that it stands for, its own task first */
  readonly ids: readonly string[];
  readonly critical: boolean;
  /** What an expanded box is remembered by */
  readonly group: string;
  /** Steps from the first task on, along the longest way */
  readonly layer: number;
}

export interface BoxEdge extends Edge {
  readonly critical: boolean;
}

export interface Graph {
  /** By id, layer by layer, in a layer in the order of their beginning */
  readonly boxes: ReadonlyMap<string, Box>;
  readonly edges: readonly BoxEdge[];
}

export interface CollapseOptions {
  /** So many equal ones become one box; 0 for never */
  readonly from: number;
  readonly criticalIds: readonly string[];
  /** `group`s that are shown one by one */
  readonly expanded: ReadonlySet<string>;
}

/**
 * Tasks with the same name and state, after the same boxes and with the same follow-ups, become one box. What is on the
 * critical path stays on its own.
 */
export function collapse(relations: Relations, options: CollapseOptions): Graph {
  const critical = new Set(options.criticalIds);
  const layers = layersOf(relations);
  const shapes = options.from > 0 ? shapesOf(relations, layers, critical) : undefined;
  const boxOf = new Map<string, Box>();
  const boxes = new Map<string, Box>();
  layers.forEach((ids, layer) => {
    const beforeOf = (id: string) => boxesBefore(id, relations, boxOf);
    const groups = listBy(ids, (id) => (shapes === undefined ? id : `${beforeOf(id)}/${shapes.get(id)}`), identity);
    for (const members of groups.values()) {
      const group = groupName(members[0] ?? '', beforeOf, relations);
      const isOneByOne = shapes === undefined || members.length < options.from || options.expanded.has(group);
      for (const some of isOneByOne ? members.map((id) => [id]) : [members]) {
        addBox(some, group, layer);
      }
    }
  });
  return { boxes, edges: edgesOf(relations, boxOf, options.criticalIds) };

  function addBox(ids: readonly string[], group: string, layer: number): void {
    const [id = ''] = ids;
    const task = relations.tasks.get(id);
    if (task !== undefined) {
      const box = { id, task, ids, critical: critical.has(id), group, layer };
      boxes.set(id, box);
      ids.forEach((one) => boxOf.set(one, box));
    }
  }
}

const identity = (id: string): string => id;

function boxesBefore(id: string, { before }: Relations, boxOf: ReadonlyMap<string, Box>): string {
  const ids = (before.get(id) ?? []).map((source) => boxOf.get(source)?.id ?? source);
  return [...new Set(ids)].sort().join();
}

/** Stays the same while tasks change their states. */
function groupName(id: string, beforeOf: (id: string) => string, { tasks }: Relations): string {
  return `${beforeOf(id)}/${tasks.get(id)?.name ?? ''}`;
}

/** Ids by layer: each task stands right of all that it comes after. */
export function layersOf({ tasks, before, after }: Relations): string[][] {
  const waiting = new Map([...before].map(([id, sources]) => [id, sources.length]));
  const layers: string[][] = [];
  let current = [...tasks.keys()].filter((id) => !waiting.has(id));
  while (current.length > 0) {
    layers.push(current);
    const next: string[] = [];
    for (const id of current) {
      for (const target of after.get(id) ?? []) {
        const left = (waiting.get(target) ?? 0) - 1;
        waiting.set(target, left);
        if (left === 0) {
          next.push(target);
        }
      }
    }
    current = next;
  }
  return layers;
}

/** A number per task: the same for those that look alike with all that follows them. */
function shapesOf(
  { tasks, after, before }: Relations,
  layers: readonly string[][],
  critical: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const shapes = new Map<string, number>();
  for (const id of layers.flat().reverse()) {
    const task = tasks.get(id);
    // What several come after is shared by them: it is what it is, not what it looks like.
    const follow = (after.get(id) ?? []).map((next) => ((before.get(next) ?? []).length > 1 ? next : shapes.get(next)));
    const own = critical.has(id) ? id : '';
    const key = [task?.name, task?.state, own, ...follow.map(String).sort()].join('\n');
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    shapes.set(id, number);
  }
  return shapes;
}

function edgesOf({ edges }: Relations, boxOf: ReadonlyMap<string, Box>, criticalIds: readonly string[]): BoxEdge[] {
  const steps = new Set(criticalIds.slice(1).map((id, index) => `${criticalIds[index]}\n${id}`));
  const found = new Map<string, BoxEdge>();
  for (const edge of edges) {
    const [from, to] = [boxOf.get(edge.from)?.id, boxOf.get(edge.to)?.id];
    if (from !== undefined && to !== undefined) {
      const critical = steps.has(`${edge.from}\n${edge.to}`);
      const key = `${from}\n${to}`;
      found.set(key, { from, to, kind: edge.kind, critical: critical || found.get(key)?.critical === true });
    }
  }
  return [...found.values()];
}
