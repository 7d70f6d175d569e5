import { LogRowContextQueryDirection } from '@grafana/data';
import { firstValueFrom, of } from 'rxjs';
import { contextEvents, contextQuery } from './context';

const row = { labels: { task_id: 'a', worker: 'w@h' }, timeEpochMs: 1_000_000_000_000.5, rowId: '2' };
const answer = (...ids: string[]) => ({ events: ids.map((id) => ({ id })), nextCursor: null });

it.each([
  [LogRowContextQueryDirection.Backward, ['3', '2', '1', '0'], ['1', '0']],
  [LogRowContextQueryDirection.Forward, ['1', '2', '3', '4'], ['4', '3']],
])('%s: the events of the task next to the line, the newest first', async (direction, told, expected) => {
  const events = jest.fn((_params: unknown) => of(answer(...told) as never));
  const found = await firstValueFrom(contextEvents({ events } as never, row, { direction, limit: 2 }));
  expect(found.map(({ id }) => id)).toEqual(expected);
  const isAfter = direction === LogRowContextQueryDirection.Forward;
  expect(events).toHaveBeenCalledWith(
    expect.objectContaining({
      ...{ taskId: 'a', order: isAfter ? 'asc' : 'desc', limit: 3 },
      [isAfter ? 'from' : 'to']: isAfter ? '1000000000000' : '1000000000001',
    }),
  );
});

it('of a line of a worker is the worker', () => {
  expect(contextQuery({ labels: { worker: 'w@h' } }, 'A')).toEqual({
    ...{ refId: 'A', kind: 'events', filter: { workers: ['w@h'] } },
    types: ['worker-online', 'worker-offline', 'worker-lost'],
  });
});
