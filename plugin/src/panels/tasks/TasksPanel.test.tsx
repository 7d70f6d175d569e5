import { config } from '@grafana/runtime';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of, throwError } from 'rxjs';
import { AgentError } from '../../shared/client';
import { DATASOURCE_ID } from '../../shared/ids';
import { frameOfRows, giveElementsHeight, panelProps, TEST_UID } from '../../shared/testing/panel.testkit';
import { DEFAULT_OPTIONS, type TasksPanelOptions } from './options';
import { TasksPanel } from './TasksPanel';

const client = {
  tasks: jest.fn(),
  task: jest.fn(),
  timeline: jest.fn(),
  startBulk: jest.fn(),
  bulk: jest.fn(),
  address: (path: string, params: object) => `proxy/${path}?${JSON.stringify(params)}`,
};
const source = { type: DATASOURCE_ID, uid: TEST_UID, client, options: {}, refresh: jest.fn() };

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getDataSourceSrv: () => ({ get: async () => source }),
  getAppEvents: () => ({ publish: jest.fn() }),
}));

const row = (taskId: string, over: object = {}) => ({
  taskId,
  name: 'app.add',
  state: 'SUCCESS',
  timestampMs: 1000,
  runtimeMs: 5,
  ...over,
});
const many = (count: number) => Array.from({ length: count }, (_, index) => row(`t${index}`));
const as = (orgRole: string) => {
  config.bootData = { user: { orgRole } } as typeof config.bootData;
};

function view(rows: readonly object[], custom: object = {}, options: TasksPanelOptions = DEFAULT_OPTIONS) {
  return panelProps({
    series: [frameOfRows('tasks', rows, { filter: { from: '1', to: '2' }, nextCursor: null, ...custom })],
    options,
  });
}

beforeAll(() => {
  giveElementsHeight();
  HTMLElement.prototype.scrollTo = jest.fn();
  HTMLElement.prototype.setPointerCapture = jest.fn();
});
beforeEach(() => {
  jest.clearAllMocks();
  as('Editor');
  client.tasks.mockReturnValue(of({ tasks: [row('found')], nextCursor: null, total: 1, totalExact: true }));
  client.task.mockReturnValue(of({ ...detail, taskId: 't1' }));
  client.timeline.mockReturnValue(of({ taskId: 't1', events: [] }));
});

const detail = {
  ...{
    name: 'app.add',
    state: 'FAILURE',
    worker: 'celery@a',
    queue: 'q',
    args: '(1,)',
    kwargs: '{}',
    result: null,
    children: [],
  },
  ...{
    exception: "ValueError('x')",
    traceback: 'Traceback (most recent call last):\nValueError: x',
    rootId: null,
    parentId: null,
  },
  ...{
    exchange: null,
    routingKey: null,
    runtimeMs: 3,
    retries: null,
    eta: null,
    expires: null,
    client: null,
    pid: null,
    oddities: null,
  },
  ...{
    sentMs: null,
    receivedMs: null,
    startedMs: null,
    succeededMs: null,
    failedMs: 9,
    retriedMs: null,
    revokedMs: null,
    rejectedMs: null,
  },
};

it('draws the rows in sight of ten thousand, and tells readers how many there are', () => {
  render(<TasksPanel {...view(many(10_000), { total: 10_000 })} />);
  const grid = screen.getByRole('grid', { name: 'Tasks' });
  expect(grid).toHaveAttribute('aria-rowcount', '10001');
  const drawn = within(grid).getAllByRole('row');
  expect(drawn.length).toBeGreaterThan(10);
  expect(drawn.length).toBeLessThan(60);
  expect(drawn[1]).toHaveAttribute('aria-rowindex', '2');
  expect(screen.getByText('10,000 tasks')).toBeInTheDocument();
});

it('goes through the rows by key and opens one with Enter', async () => {
  render(<TasksPanel {...view(many(3))} />);
  const grid = screen.getByRole('grid', { name: 'Tasks' });
  fireEvent.keyDown(grid, { key: 'ArrowDown' });
  fireEvent.keyDown(grid, { key: 'ArrowDown' });
  const active = grid.getAttribute('aria-activedescendant') ?? '';
  expect(document.getElementById(active)).toHaveTextContent('t1');
  await waitFor(() => {
    fireEvent.keyDown(grid, { key: 'Enter' });
    expect(client.task).toHaveBeenCalledWith('t1');
  });
  const drawer = await screen.findByRole('dialog');
  expect(await within(drawer).findByRole('region', { name: 'Called with' })).toHaveTextContent('(1,)');
  expect(within(drawer).getByRole('button', { name: 'Revoke' })).toHaveAttribute('aria-disabled', 'true');
  expect(within(drawer).getByRole('button', { name: 'Retry' })).toHaveAttribute('aria-disabled', 'false');
});

it('asks the agent for what is searched, and names what it does not like', async () => {
  render(<TasksPanel {...view(many(3))} />);
  await userEvent.type(screen.getByRole('searchbox', { name: 'Search tasks' }), 'state:FAILURE{Enter}');
  expect(await screen.findByText('found')).toBeInTheDocument();
  expect(client.tasks).toHaveBeenLastCalledWith(
    expect.objectContaining({ from: '1', search: 'state:FAILURE', count: true }),
    'umbel-tasks-1',
  );

  client.tasks.mockReturnValue(
    throwError(() => new AgentError('Unterminated quoted phrase at position 0.', 400, 'bad-parameter', 'search')),
  );
  await userEvent.type(screen.getByRole('searchbox', { name: 'Search tasks' }), ' "x{Enter}');
  expect(await screen.findByText('Unterminated quoted phrase at position 0.')).toBeInTheDocument();
  expect(screen.getByRole('searchbox', { name: 'Search tasks' })).toHaveAttribute('aria-invalid', 'true');
});

it('sorts at the agent', async () => {
  render(<TasksPanel {...view(many(3))} />);
  await userEvent.click(screen.getByRole('button', { name: 'Runtime' }));
  await waitFor(() =>
    expect(client.tasks).toHaveBeenCalledWith(
      expect.objectContaining({ sort: 'runtime', order: 'desc' }),
      expect.anything(),
    ),
  );
  expect(screen.getByRole('columnheader', { name: /Runtime/ })).toHaveAttribute('aria-sort', 'descending');
});

it('loads the next page when the end comes in sight', async () => {
  client.tasks.mockReturnValue(of({ tasks: [row('older')], nextCursor: null }));
  render(<TasksPanel {...view(many(3), { nextCursor: 'c1' })} />);
  expect(await screen.findByText('older')).toBeInTheDocument();
  expect(client.tasks).toHaveBeenCalledWith(
    expect.objectContaining({ cursor: 'c1', sort: 'timestamp' }),
    'umbel-tasks-more-1',
  );
});

it('lets a selection be revoked only after it was looked at', async () => {
  const plan = {
    id: 'b',
    action: 'revoke',
    state: 'done',
    dryRun: true,
    matched: 2,
    done: 0,
    failed: 0,
    tasks: [{ taskId: 't0', name: 'app.add', state: 'STARTED' }],
    startedMs: 0,
  };
  client.startBulk.mockImplementation((order: { dryRun: boolean }) =>
    of(order.dryRun ? plan : { ...plan, dryRun: false, done: 2 }),
  );
  render(<TasksPanel {...view([row('t0', { state: 'STARTED' }), row('t1', { state: 'STARTED' })])} />);
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select all tasks shown' }));
  expect(screen.getByText('2 selected')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Retry…' })).toHaveAttribute('aria-disabled', 'true');
  await waitFor(async () => {
    await userEvent.click(screen.getByRole('button', { name: 'Revoke…' }));
    expect(screen.getByRole('button', { name: 'See what would be hit' })).toBeInTheDocument();
  });
  await userEvent.click(screen.getByRole('button', { name: 'See what would be hit' }));
  expect(client.startBulk).toHaveBeenCalledWith({
    action: 'revoke',
    filter: { ids: ['t0', 't1'] },
    limit: 1000,
    dryRun: true,
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Revoke 2 task(s)' }));
  expect(client.startBulk).toHaveBeenLastCalledWith(expect.objectContaining({ dryRun: false }));
  expect(await screen.findByText(/2 done, 0 failed/)).toBeInTheDocument();
  await waitFor(() => expect(source.refresh).toHaveBeenCalled());
});

it('shows a viewer why the actions are off', async () => {
  as('Viewer');
  render(<TasksPanel {...view([row('t0', { state: 'STARTED' })])} />);
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select all tasks shown' }));
  for (const name of ['Revoke…', 'Terminate…', 'Retry…']) {
    expect(screen.getByRole('button', { name })).toHaveAttribute('aria-disabled', 'true');
  }
  await userEvent.hover(screen.getByRole('button', { name: 'Revoke…' }));
  expect(await screen.findByText('Needs the role Editor; you are Viewer.')).toBeInTheDocument();
});

it('keeps rows in place for somebody who has scrolled, and offers what is new', async () => {
  const { rerender } = render(<TasksPanel {...view([row('a'), row('b')])} />);
  const grid = screen.getByRole('grid', { name: 'Tasks' });
  Object.defineProperty(grid, 'scrollTop', { configurable: true, value: 100 });
  fireEvent.scroll(grid);
  rerender(<TasksPanel {...view([row('fresh'), row('a', { state: 'FAILURE' }), row('b')])} />);
  expect(screen.queryByText('fresh')).not.toBeInTheDocument();
  expect(screen.getByText('FAILURE')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: '1 new' }));
  expect(await screen.findByText('fresh')).toBeInTheDocument();
});

it('saves columns in the options', async () => {
  const onOptionsChange = jest.fn();
  const options = { ...DEFAULT_OPTIONS, columns: [{ id: 'state' as const }, { id: 'name' as const }] };
  render(<TasksPanel {...view(many(1), {}, options)} onOptionsChange={onOptionsChange} />);
  expect(screen.getAllByRole('columnheader')).toHaveLength(3);
  fireEvent.keyDown(screen.getByRole('separator', { name: 'Width of State' }), { key: 'ArrowRight' });
  expect(onOptionsChange).toHaveBeenCalledWith(
    expect.objectContaining({ columns: [{ id: 'state', width: 126 }, { id: 'name' }] }),
  );
});

describe('the order of columns', () => {
  const onOptionsChange = jest.fn();
  const order = (...ids: string[]) => ({ columns: ids.map((id) => ({ id })) });
  const columns = (['state', 'name', 'runtimeMs'] as const).map((id) => ({ id }));
  const heading = () => screen.getByRole('button', { name: 'State' });
  /** From the first column to behind the middle of the second: jsdom has no place for anything, all begins at 0. */
  const dragOut = () => {
    fireEvent.pointerDown(heading(), { button: 0, clientX: 60 });
    fireEvent.pointerMove(heading(), { clientX: 600 });
  };
  beforeEach(() => {
    render(<TasksPanel {...view(many(1), {}, { ...DEFAULT_OPTIONS, columns })} onOptionsChange={onOptionsChange} />);
  });

  it('is that in which headers are dragged, which does not sort', () => {
    dragOut();
    fireEvent.pointerUp(heading());
    fireEvent.click(heading());
    expect(onOptionsChange).toHaveBeenLastCalledWith(expect.objectContaining(order('name', 'state', 'runtimeMs')));
    expect(screen.getByText('State is now column 2 of 3.')).toBeInTheDocument();
    expect(client.tasks).not.toHaveBeenCalled();
  });

  it('stays when the drag is called off, or was none', async () => {
    dragOut();
    fireEvent.keyDown(heading(), { key: 'Escape' });
    fireEvent.pointerUp(heading());
    fireEvent.click(heading());
    expect(client.tasks).not.toHaveBeenCalled();
    fireEvent.pointerDown(heading(), { button: 0, clientX: 60 });
    fireEvent.pointerMove(heading(), { clientX: 62 });
    fireEvent.pointerUp(heading());
    fireEvent.click(heading());
    expect(onOptionsChange).not.toHaveBeenCalled();
    await waitFor(() => expect(client.tasks).toHaveBeenCalled());
  });

  it('is changed by key as well', () => {
    fireEvent.keyDown(heading(), { key: 'ArrowLeft', shiftKey: true });
    expect(onOptionsChange).not.toHaveBeenCalled();
    fireEvent.keyDown(heading(), { key: 'ArrowRight', shiftKey: true });
    expect(onOptionsChange).toHaveBeenLastCalledWith(expect.objectContaining(order('name', 'state', 'runtimeMs')));
  });
});

it('says what to do where there is nothing', () => {
  render(<TasksPanel {...view([])} />);
  expect(screen.getByText('No tasks in this time range')).toBeInTheDocument();
});
