import {
  chosenColumns,
  type ColumnChoice,
  gapAt,
  layoutColumns,
  MIN_WIDTH,
  moveColumn,
  placesTo,
  resizeColumn,
  toggleColumn,
} from './columnModel';

const ABC: readonly ColumnChoice[] = [{ id: 'state' }, { id: 'name' }, { id: 'runtimeMs' }];
const ids = (columns: readonly ColumnChoice[]) => columns.map(({ id }) => id);

it('shows the usual columns until some are chosen, and forgets those that are gone', () => {
  expect(ids(chosenColumns([]))).toContain('name');
  expect(chosenColumns([{ id: 'state', width: 80 }, { id: 'gone' } as unknown as ColumnChoice])).toEqual([
    { id: 'state', width: 80 },
  ]);
});

it('adds at the end, takes away, and keeps the last', () => {
  expect(ids(toggleColumn(ABC, 'queue'))).toEqual(['state', 'name', 'runtimeMs', 'queue']);
  expect(ids(toggleColumn(ABC, 'name'))).toEqual(['state', 'runtimeMs']);
  expect(ids(toggleColumn([{ id: 'state' }], 'state'))).toEqual(['state']);
});

it('moves within the row', () => {
  expect(ids(moveColumn(ABC, 'name', -1))).toEqual(['name', 'state', 'runtimeMs']);
  expect(ids(moveColumn(ABC, 'name', 1))).toEqual(['state', 'runtimeMs', 'name']);
  expect(ids(moveColumn(ABC, 'runtimeMs', -2))).toEqual(['runtimeMs', 'state', 'name']);
  expect(moveColumn(ABC, 'state', -1)).toBe(ABC);
  expect(moveColumn(ABC, 'name', 2)).toBe(ABC);
  expect(moveColumn(ABC, 'name', 0)).toBe(ABC);
});

it('drops a header beside the column whose nearer half it is over', () => {
  const widths = [100, 200, 50];
  expect([-20, 49, 51, 199, 201, 324, 326, 900].map((x) => gapAt(widths, x))).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  expect([0, 1, 2, 3].map((gap) => placesTo(gap, 1))).toEqual([-1, 0, 0, 1]);
});

it('keeps widths within reason', () => {
  expect(resizeColumn(ABC, 'name', 3)[1]).toEqual({ id: 'name', width: MIN_WIDTH });
  expect(resizeColumn(ABC, 'name', 300.4)[1]).toEqual({ id: 'name', width: 300 });
});

it('gives what is left to long texts, and scrolls where it does not suffice', () => {
  expect(layoutColumns(ABC, 1000)).toEqual([110, 800, 90]);
  expect(layoutColumns(ABC, 400)).toEqual([110, 200, 90]);
  expect(layoutColumns(ABC, 100)).toEqual([110, 150, 90]);
  expect(layoutColumns(resizeColumn(ABC, 'name', 300), 100)).toEqual([110, 300, 90]);
  expect(layoutColumns(resizeColumn(ABC, 'name', 300), 1000)).toEqual([110, 300, 90]);
});
