import { CoreApp, dateTime, type DataQueryRequest, type DataQueryResponse, LoadingState } from '@grafana/data';
import { NEVER, of, lastValueFrom, Observable, Subject, throwError, toArray, take } from 'rxjs';
import type { Task } from '../shared/api';
import { readRows } from '../shared/frames/rows';
import { CeleryDataSource } from './datasource';
import type { CeleryQuery } from './query';

interface Asked {
  readonly url: string;
  readonly requestId?: string;
}
let answer: (asked: Asked) => Observable<{ data: unknown }>;
const asked: Asked[] = [];

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({
    fetch: (options: Asked) => {
      asked.push(options);
      return answer(options);
    },
  }),
  getTemplateSrv: () => ({
    replace: (text: string, _vars: unknown, format?: unknown) =>
      typeof format === 'function' ? text.replace(/\$names/g, () => format(['a', 'b'], { name: 'names' })) : text,
    containsTemplate: (text: string) => text.includes('$'),
  }),
  getDataSourceSrv: () => ({ getInstanceSettings: () => undefined }),
}));

beforeEach(() => {
  asked.length = 0;
});

const dataSource = () =>
  new CeleryDataSource({
    ...{ id: 1, uid: 'u', name: 'Celery', type: 't', url: '/proxy', access: 'proxy', readOnly: false },
    ...{ jsonData: {}, meta: {} as never },
  });

function request(
  targets: CeleryQuery[],
  more: Partial<DataQueryRequest<CeleryQuery>> = {},
): DataQueryRequest<CeleryQuery> {
  const [from, to] = [dateTime(1_000_000), dateTime(4_600_000)];
  return {
    ...{ requestId: 'Q1', app: CoreApp.Unknown, targets, scopedVars: {}, timezone: 'utc', startTime: 0 },
    ...{ interval: '15s', intervalMs: 15_000, maxDataPoints: 100, range: { from, to, raw: { from, to } } },
    ...more,
  };
}

const taskOf = (taskId: string) => ({ taskId, name: 'app.add', state: 'SUCCESS', timestampMs: 1 }) as Task;
const pageOf = (count: number, start: number, nextCursor: string | null) => ({
  tasks: Array.from({ length: count }, (_, index) => taskOf(`t${start + index}`)),
  nextCursor,
});
const all = (packets: Observable<DataQueryResponse>) => lastValueFrom(packets.pipe(toArray()));
const paramsOf = ({ url }: Asked) => Object.fromEntries(new URL(`http://x${url}`).searchParams);

it('shows the first page at once and the rest when it is there, within the limit', async () => {
  answer = ({ url }) => {
    const params = paramsOf({ url });
    if (params['count'] === 'true') {
      return of({ data: { tasks: [], nextCursor: null, total: 10_000, totalExact: false } });
    }
    return of({ data: params['cursor'] === undefined ? pageOf(1000, 0, 'c1') : pageOf(500, 1000, 'c2') });
  };
  const packets = await all(dataSource().query(request([{ refId: 'A', kind: 'tasks', limit: 1500 }])));
  expect(packets[0]).toMatchObject({ key: 'A', state: LoadingState.Loading });
  expect(packets[0]?.data[0].length).toBe(1000);
  const last = packets.at(-1);
  expect(last?.state).toBe(LoadingState.Done);
  expect(last?.data[0].length).toBe(1500);
  expect(last?.data[0].meta.custom).toMatchObject({ celery: 'tasks', nextCursor: 'c2', total: 10_000 });
  expect(last?.data[0].meta.notices[0].text).toContain('Shows 1,500 tasks; more than 10,000 match.');
  expect(paramsOf(asked[0] as Asked)).toEqual({ from: '1000000', to: '4600000', limit: '1000' });
});

it('calls a first page streaming where it is looked at: Grafana draws nothing that is loading', () => {
  answer = ({ url }) => (paramsOf({ url })['cursor'] === undefined ? of({ data: pageOf(1000, 0, 'c1') }) : NEVER);
  const packets: DataQueryResponse[] = [];
  const shown = request([{ refId: 'A', kind: 'tasks', limit: 1500 }], { app: CoreApp.Dashboard });
  dataSource()
    .query(shown)
    .subscribe((packet) => packets.push(packet))
    .unsubscribe();
  expect(packets.map(({ state, data }) => [state, data[0].length])).toContainEqual([LoadingState.Streaming, 1000]);
});

it('gives each target its own error, and the frames of the others', async () => {
  answer = ({ url }) =>
    url.includes('/failures')
      ? throwError(() => ({
          status: 503,
          statusText: '',
          data: { error: { code: 'history-off', message: 'No history.' } },
        }))
      : of({ data: pageOf(1, 0, null) });
  const packets = await all(
    dataSource().query(
      request([
        { refId: 'A', kind: 'failures' },
        { refId: 'B', kind: 'tasks' },
      ]),
    ),
  );
  const of_ = (key: string) => packets.find((packet) => packet.key === key);
  expect(of_('A')?.errors).toEqual([{ refId: 'A', status: 503, message: 'No history.' }]);
  expect(readRows<Task>(of_('B')?.data[0]).map(({ taskId }) => taskId)).toEqual(['t0']);
});

it('puts every value of a variable into a list', async () => {
  answer = () => of({ data: pageOf(0, 0, null) });
  await all(dataSource().query(request([{ refId: 'A', kind: 'tasks', filter: { names: ['x.$names'] } }])));
  expect(new URL(`http://x${asked[0]?.url}`).searchParams.getAll('names')).toEqual(['x.a', 'x.b']);
});

it('asks again after an action, while a dashboard shows the answer', async () => {
  jest.useFakeTimers();
  let round = 0;
  answer = () => of({ data: pageOf(1, round++, null) });
  const ds = dataSource();
  const rows: unknown[] = [];
  const seen = ds
    .query(request([{ refId: 'A', kind: 'tasks' }], { app: CoreApp.Dashboard }))
    .subscribe((packet) => rows.push(packet.data[0].fields[3].values[0]));
  ds.refresh();
  ds.refresh();
  jest.advanceTimersByTime(3000);
  expect(rows).toEqual(['t0', 't1', 't2']);
  seen.unsubscribe();
  ds.refresh();
  jest.advanceTimersByTime(3000);
  expect(rows).toHaveLength(3);
  jest.useRealTimers();
});

it('drops the request when Grafana drops the query', () => {
  const dropped = new Subject<void>();
  const gone = jest.fn();
  answer = () => new Observable(() => gone);
  const seen = dataSource()
    .query(request([{ refId: 'A', kind: 'workers' }]))
    .subscribe();
  expect(asked[0]?.requestId).toBe('Q1-u-A');
  seen.unsubscribe();
  expect(gone).toHaveBeenCalled();
  dropped.complete();
});

it('takes what Loki’s derived fields hand over', async () => {
  answer = () => of({ data: { ...taskOf('x'), children: [] } });
  const query = { refId: 'A', query: ' 5d2e ' } as unknown as CeleryQuery;
  const [packet] = await lastValueFrom(
    dataSource()
      .query(request([query]))
      .pipe(take(1), toArray()),
  );
  expect(asked[0]?.url).toBe('/proxy/api/v1/tasks/5d2e');
  expect(packet?.data[0].meta.custom.celery).toBe('task');
});
