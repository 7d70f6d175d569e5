import { migrateOptions } from './migrations';

it('gives a new panel what it needs', () => {
  expect(migrateOptions(undefined)).toEqual({ version: 1, columns: [], showToolbar: true });
});

it('keeps what was saved, without columns that there are no more', () => {
  const columns = [{ id: 'state', width: 90 }, { id: 'gone' }];
  expect(migrateOptions({ columns: columns as never, showToolbar: false })).toEqual({
    version: 1,
    columns: [{ id: 'state', width: 90 }],
    showToolbar: false,
  });
});
