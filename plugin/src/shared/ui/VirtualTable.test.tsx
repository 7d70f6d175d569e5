import { fitting, type TableColumn } from './VirtualTable';

const column = (id: string, minWidth: number, rank?: number): TableColumn<string> => ({
  ...{ id, title: id, minWidth, rank, cell: (row) => row },
});

const COLUMNS = [column('name', 100), column('more', 50, 2), column('number', 50, 1), column('most', 50, 2)];

it.each([
  [250, 'name more number most'],
  [249, 'name number most'],
  [199, 'name number'],
  [120, 'name'],
  [10, 'name'],
])('at %d px those columns stay for which there is room: %s', (width, expected) => {
  expect(
    fitting(COLUMNS, width)
      .map(({ id }) => id)
      .join(' '),
  ).toBe(expected);
});
