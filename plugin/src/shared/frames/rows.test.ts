import { createDataFrame, FieldType } from '@grafana/data';
import { frameOf, readRows } from './rows';

const frame = createDataFrame({
  meta: { custom: { celery: 'tasks' } },
  fields: [
    { name: 'taskId', type: FieldType.string, values: ['a', 'b'] },
    { name: 'runtimeMs', type: FieldType.number, values: [1, null] },
  ],
});

it('reads rows by field name', () => {
  expect(readRows(frame)).toEqual([
    { taskId: 'a', runtimeMs: 1 },
    { taskId: 'b', runtimeMs: null },
  ]);
  expect(readRows(undefined)).toEqual([]);
});

it('finds the frame of a kind', () => {
  expect(frameOf([createDataFrame({ fields: [] }), frame], 'tasks')).toBe(frame);
  expect(frameOf([frame], 'workers')).toBeUndefined();
});
