import { collapse } from './collapse';
import { criticalPath } from '../../../shared/workflow/criticalPath';
import { BOX, layOut } from './layout';
import { relate } from '../../../shared/workflow/relations';
import { CHORD, ran } from '../../../shared/workflow/workflows.testkit';
import type { WorkflowTask } from '../../../shared/workflow/tasks';

const NONE: ReadonlySet<string> = new Set();

function graphOf(tasks: readonly WorkflowTask[], from = 3, expanded = NONE) {
  const relations = relate(tasks);
  return collapse(relations, { from, expanded, criticalIds: criticalPath(relations, 0).ids });
}

const counts = (graph: ReturnType<typeof graphOf>) =>
  [...graph.boxes.values()].map(({ id, ids }) => (ids.length === 1 ? id : `${id}×${ids.length}`));

function fanOut(count: number, follow = 0): WorkflowTask[] {
  const parts = Array.from({ length: count }, (_, index) => ran(`part${index}`, [1, 1, 2], { parentId: 'root' }));
  const next = parts.slice(0, follow).map(({ taskId }, index) => ran(`next${index}`, [2, 2, 3], { parentId: taskId }));
  return [ran('root', [0, 0, 30]), ...parts, ...next];
}

it('equal siblings become one box', () => {
  const graph = graphOf(fanOut(120));
  expect(counts(graph)).toEqual(['root', 'part0×120']);
  expect(graph.edges).toEqual([{ from: 'root', to: 'part0', kind: 'parent', critical: false }]);
});

it('those that differ in what follows stand apart, and what follows equal ones collapses with them', () => {
  expect(counts(graphOf(fanOut(10, 5)))).toEqual(['root', 'part0×5', 'part5×5', 'next0×5']);
});

it('few siblings, and a group that was opened, are shown one by one', () => {
  expect(counts(graphOf(fanOut(2)))).toEqual(['root', 'part0', 'part1']);
  const group = graphOf(fanOut(9)).boxes.get('part0')?.group ?? '';
  expect(counts(graphOf(fanOut(9), 3, new Set([group])))).toHaveLength(10);
  expect(counts(graphOf(fanOut(9), 0))).toHaveLength(10);
});

it('the critical path stays on its own, and its edges are marked', () => {
  const graph = graphOf(CHORD, 2);
  expect(counts(graph)).toEqual(['root', 'part1×2', 'part2', 'merge', 'tell']);
  expect(graph.edges.filter(({ critical }) => critical).map(({ from, to }) => `${from} ${to}`)).toEqual([
    'root part2',
    'part2 merge',
    'merge tell',
  ]);
});

it('layers go from left to right and no two boxes meet', () => {
  const graph = graphOf([...CHORD, ran('aside', [2, 2, 3], { parentId: 'part1' })], 0);
  const { places, width, height } = layOut(graph);
  const all = [...places.values()];
  for (const [index, a] of all.entries()) {
    for (const b of all.slice(index + 1)) {
      expect(Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height).toBe(true);
    }
    expect(a.x + BOX.width <= width && a.y + BOX.height <= height).toBe(true);
  }
  for (const { from, to } of graph.edges) {
    expect(places.get(to)?.x).toBeGreaterThan(places.get(from)?.x ?? Infinity);
  }
});

it('a chain of 5,000 and a group of 5,000 are laid out without a deep recursion', () => {
  const chain = Array.from({ length: 5000 }, (_, index) =>
    ran(`t${index}`, [index, index, index + 1], { parentId: index === 0 ? null : `t${index - 1}` }),
  );
  expect(layOut(graphOf(chain)).places.size).toBe(5000);
  expect(layOut(graphOf(fanOut(5000), 0)).places.size).toBe(5001);
});
