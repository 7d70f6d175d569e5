import { LoadingState, type DataFrame } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of } from 'rxjs';
import { frameOfRows, giveElementsHeight, panelProps } from '../../shared/testing/panel.testkit';
import { DEFAULT_OPTIONS, type QueuesOptions } from './types';
import { QueuesPanel } from './QueuesPanel';

const askWorkers = jest.fn(() => of({ workers: [{ hostname: 'celery@asked', online: true, queues: ['celery'] }] }));

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getDataSourceSrv: () => ({
    get: async () => ({ type: 'umbel-celery-datasource', uid: 'celery-uid', client: { workers: () => askWorkers() } }),
  }),
  PanelDataErrorView: ({ message }: { message?: string }) => <p>{message}</p>,
}));

beforeAll(() => giveElementsHeight());

const NOW_MS = Date.now();
const QUEUES = [
  { name: 'celery', messages: 3, unacked: 1, consumers: 2, oldestMs: NOW_MS - 65_000, publishRate: 2, deliverRate: 2 },
  { name: 'left', messages: 1200, unacked: 0, consumers: 0, oldestMs: null, publishRate: 1, deliverRate: 0 },
  { name: 'mail', messages: 0, unacked: 0, consumers: 1, oldestMs: null, publishRate: 0, deliverRate: 0 },
];
const WORKERS = [
  { hostname: 'celery@a', online: true, queues: ['celery', 'mail'] },
  { hostname: 'celery@b', online: true, queues: ['celery'] },
];

function show(series: DataFrame[], options: Partial<QueuesOptions> = {}, state = LoadingState.Done, width?: number) {
  const props = panelProps({ series, state, options: { ...DEFAULT_OPTIONS, ...options } });
  return render(<QueuesPanel {...props} width={width ?? props.width} />);
}

const both = () => [frameOfRows('queues', QUEUES), frameOfRows('workers', WORKERS)];
const rowNames = () =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('cell')[0]?.textContent);

it('keeps name, length and age where there is no room for more, none of them cut', () => {
  show(both(), {}, LoadingState.Done, 368);
  expect(screen.getAllByRole('columnheader').map(({ textContent }) => textContent)).toEqual([
    'Queue',
    'Waiting',
    'Oldest',
  ]);
});

it('shows length, age, consumers, rates, and who consumes each queue', async () => {
  show(both());
  const row = (await screen.findByRole('link', { name: 'celery' })).closest('[role="row"]') as HTMLElement;
  const cells = within(row)
    .getAllByRole('cell')
    .map(({ textContent }) => textContent);
  expect(cells).toEqual([
    'celery',
    '3',
    expect.stringMatching(/mins$/),
    '1',
    '2',
    '2.0',
    '2.0',
    'celery@a and 1 more',
    'Tasks',
  ]);
  expect(askWorkers).not.toHaveBeenCalled();
});

it('says in words which queue nobody consumes and which one grows', () => {
  show(both());
  const left = screen.getByText('left').closest('[role="row"]') as HTMLElement;
  expect(within(left).getByText('no consumers')).toBeInTheDocument();
  expect(within(left).getByText('growing')).toBeInTheDocument();
  expect(screen.getAllByText('no consumers')).toHaveLength(1);
});

it('links to the queue’s tasks', async () => {
  show(both());
  await screen.findByRole('link', { name: 'mail' });
  expect(screen.getAllByRole('link', { name: 'Tasks' })[0]).toHaveAttribute(
    'href',
    '/d/umbel-tasks?var-datasource=celery-uid&var-queue=left&from=now-6h&to=now',
  );
});

it('sorts by its columns, and says so', async () => {
  show(both());
  expect(rowNames().map((name) => name?.slice(0, 4))).toEqual(['left', 'cele', 'mail']);
  await userEvent.click(screen.getByRole('button', { name: 'Queue' }));
  expect(screen.getByRole('columnheader', { name: 'Queue' })).toHaveAttribute('aria-sort', 'ascending');
  expect(rowNames()).toEqual(['celery', 'leftno consumersgrowing', 'mail']);
});

it('asks the agent who consumes what when no query of the panel tells', async () => {
  show([frameOfRows('queues', QUEUES)]);
  expect(await screen.findByText('celery@asked')).toBeInTheDocument();
});

it('keeps quiet about empty queues when told so', () => {
  show(both(), { hideEmpty: true });
  expect(rowNames()).toHaveLength(2);
});

it('says why only names are known', () => {
  show([frameOfRows('queues', [{ name: 'celery' }], { problem: 'The broker does not answer.' })]);
  expect(screen.getByText('The broker does not answer.')).toBeInTheDocument();
});

it('draws only the rows on the screen of 10,000 queues', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ name: `q${index}`, messages: index }));
  show([frameOfRows('queues', many)]);
  expect(screen.getByRole('table')).toHaveAttribute('aria-rowcount', '10001');
  expect(rowNames().length).toBeLessThan(60);
  expect(rowNames()[0]).toBe('q9999');
});

it('says what to do without the query, that nothing is there, and that it waits', () => {
  const first = show([]);
  expect(screen.getByText(/Choose the query "Queues"/)).toBeInTheDocument();
  first.unmount();
  const second = show([frameOfRows('queues', [])]);
  expect(screen.getByText('No queue is known yet.')).toBeInTheDocument();
  second.unmount();
  show([], {}, LoadingState.Loading);
  expect(screen.getByRole('status', { name: 'Loading' })).toBeInTheDocument();
});
