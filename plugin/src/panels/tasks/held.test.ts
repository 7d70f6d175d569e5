import { holdRows, type Row } from './held';

const row = (taskId: string, state = 'SUCCESS'): Row => ({ taskId, state });

it('shows what is there while nobody reads', () => {
  const latest = [row('a')];
  expect(holdRows(undefined, latest)).toEqual({ rows: latest, fresh: 0 });
});

it('keeps places and counts what is new, and shows what became of the tasks', () => {
  const held = [row('b', 'STARTED'), row('c')];
  expect(holdRows(held, [row('new'), row('b', 'SUCCESS')])).toEqual({
    rows: [row('b', 'SUCCESS'), row('c')],
    fresh: 1,
  });
});

it('adds further pages at the end', () => {
  expect(holdRows([row('a'), row('b')], [row('new'), row('a'), row('b'), row('c')])).toEqual({
    rows: [row('a'), row('b'), row('c')],
    fresh: 1,
  });
});

it('keeps what is read even when all of it has moved out of the answer', () => {
  expect(holdRows([row('a')], [row('x'), row('y')])).toEqual({ rows: [row('a')], fresh: 2 });
});
