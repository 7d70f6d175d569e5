import { type DataFrame, LoadingState } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { frameOfRows, giveElementsHeight, panelProps } from '../../shared/testing/panel.testkit';
import { CHORD, ran } from '../../shared/workflow/workflows.testkit';
import { DEFAULT_OPTIONS, type WorkflowOptions } from './types';
import { WorkflowPanel } from './WorkflowPanel';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getDataSourceSrv: () => ({ get: async () => ({ type: 'umbel-celery-datasource', uid: 'celery-uid' }) }),
  PanelDataErrorView: ({ message }: { message?: string }) => <p>{message}</p>,
}));

const frameOfTasks = (tasks: readonly object[], custom = {}) => frameOfRows('workflow', tasks, custom);

function show(frame: DataFrame | undefined, options: Partial<WorkflowOptions> = {}, state = LoadingState.Done) {
  const series = frame === undefined ? [] : [frame];
  const props = panelProps({ series, state, options: { ...DEFAULT_OPTIONS, ...options }, width: 900 });
  return render(<WorkflowPanel {...props} />);
}

beforeAll(() => giveElementsHeight());

it('draws the tasks as a graph, with state and critical path in words', () => {
  show(frameOfTasks(CHORD));
  expect(screen.getByRole('button', { name: 'shop.part, SUCCESS, 4 s, on the critical path' })).toBeInTheDocument();
  expect(screen.getByText(/6 tasks · critical path 11 s: ran 7 s, waited 4 s/)).toBeInTheDocument();
  expect(screen.getByText('chord: all must end first')).toBeInTheDocument();
});

it('opens a task by key, tells a few facts, links to its dashboard, and closes by Escape', async () => {
  show(frameOfTasks(CHORD));
  const box = screen.getByRole('button', { name: /^shop.merge/ });
  box.focus();
  await userEvent.keyboard('{Enter}');
  const card = screen.getByRole('dialog', { name: 'shop.merge' });
  expect(within(card).getByText('Waited').nextSibling).toHaveTextContent('1.10 s');
  expect(await within(card).findByRole('link', { name: 'Open task' })).toHaveAttribute(
    'href',
    expect.stringMatching(/\/d\/umbel-task\?var-datasource=celery-uid&var-task_id=merge&from=now-6h&to=now/),
  );
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  expect(box).toHaveFocus();
});

it('shows many equal tasks as one box, which opens into all of them', async () => {
  const parts = Array.from({ length: 120 }, (_, index) => ran(`part${index}`, [2, 2, 3], { parentId: 'root' }));
  show(frameOfTasks([ran('root', [0, 1, 9]), ...parts]));
  expect(screen.getAllByRole('button', { name: /^shop\./ })).toHaveLength(2);
  await userEvent.click(screen.getByRole('button', { name: 'shop.part, SUCCESS, 120 tasks, press to show each' }));
  expect(screen.getAllByRole('button', { name: /^shop\.part/ })).toHaveLength(120);
});

it('switches to the Gantt, whose rows tell waits, runs and retries', async () => {
  show(frameOfTasks([...CHORD, ran('again', [0, 6, 8], { retries: 2, retriedMs: 4000 })]));
  await userEvent.click(screen.getByRole('radio', { name: 'Gantt' }));
  expect(screen.getByRole('button', { name: 'shop.again, SUCCESS, waited 2 s, ran 2 s, 2 retries' })).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: /^shop.root/ }));
  expect(screen.getByRole('dialog', { name: 'shop.root' })).toBeInTheDocument();
});

it('draws only the rows of the Gantt that are on the screen', () => {
  const tasks = Array.from({ length: 10_000 }, (_, index) => ran(`part${index}`, [2, 2, 3], { parentId: 'root' }));
  show(frameOfTasks([ran('root', [0, 1, 9]), ...tasks]), { view: 'gantt' });
  const rows = screen.getAllByRole('listitem').filter((row) => row.hasAttribute('aria-setsize'));
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.length).toBeLessThan(100);
  expect(rows[0]).toHaveAttribute('aria-setsize', '10001');
});

it('marks now while something runs, and says when tasks are missing', () => {
  const open = {
    taskId: 'open',
    name: 'shop.open',
    state: 'STARTED',
    sentMs: 1000,
    startedMs: 2000,
    timestampMs: 2000,
  };
  show(frameOfTasks([open], { truncated: true }), { view: 'gantt' });
  expect(screen.getByText('now')).toBeInTheDocument();
  expect(screen.getByText(/Only the first 1 tasks are shown/)).toBeInTheDocument();
});

it('says where tasks of groups may be missing, and only there', async () => {
  const { unmount } = show(frameOfTasks(CHORD, { groupsKnown: true }));
  expect(screen.queryByText('tasks of one root')).not.toBeInTheDocument();
  unmount();
  show(frameOfTasks(CHORD, { groupsKnown: false }));
  await userEvent.hover(screen.getByText('tasks of one root'));
  expect(await screen.findByRole('tooltip')).toHaveTextContent(/--result-backend/);
});

it('draws the callback of a chord that was sent by itself after its whole header', () => {
  const alone = CHORD.slice(1, 5).map((task) => ({
    ...task,
    rootId: task.parentId === 'root' ? task.taskId : 'part2',
    parentId: task.parentId === 'root' ? null : task.parentId,
    groupId: task.parentId === 'root' ? 'g' : null,
  }));
  show(frameOfTasks(alone, { groupsKnown: true }));
  expect(screen.getByText('chord: all must end first')).toBeInTheDocument();
});

it('says what to do without tasks, and waits while they load', () => {
  const { unmount } = show(undefined);
  expect(screen.getByText(/Choose the query "Workflow"/)).toBeInTheDocument();
  unmount();
  show(frameOfTasks([]));
  expect(screen.getByText(/knows no task of this workflow/)).toBeInTheDocument();
});

it('says what went wrong in the words of the data source', () => {
  const props = panelProps({ series: [], state: LoadingState.Error, options: DEFAULT_OPTIONS });
  const data = { ...props.data, errors: [{ message: 'No task with the id x was seen.' }] };
  render(<WorkflowPanel {...props} data={data} />);
  expect(screen.getByText('No task with the id x was seen.')).toBeInTheDocument();
});

it('waits while they load', () => {
  show(undefined, {}, LoadingState.Loading);
  expect(screen.getByRole('status', { name: 'Loading' })).toBeInTheDocument();
});
