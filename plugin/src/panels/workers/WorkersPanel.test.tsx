import { LoadingState, type DataFrame } from '@grafana/data';
import { config } from '@grafana/runtime';
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of, throwError } from 'rxjs';
import type { CommandOutcome, Target } from '../../shared/api';
import type { Command } from '../../shared/actions/ConfirmCommand';
import { frameOfRows, giveElementsHeight, panelProps } from '../../shared/testing/panel.testkit';
import { DEFAULT_OPTIONS, type WorkersOptions } from './types';
import { WorkersPanel } from './WorkersPanel';

const NOW_MS = Date.now();
const A = {
  ...{
    hostname: 'celery@a',
    online: true,
    lastHeartbeatMs: NOW_MS,
    heartbeatEveryMs: 3_600_000,
    active: 1,
    processed: 40,
  },
  ...{ loadavg: [0.5, 0.4, 0.3], pool: 'prefork', concurrency: 4, autoscale: { min: 2, max: 8 }, prefetch: 16 },
  ...{ maxRssBytes: 64 * 1024 ** 2, cpuSeconds: 12, queues: ['celery', 'mail'], softwareVersion: '5.5.0' },
};
const B = {
  hostname: 'celery@b',
  online: true,
  lastHeartbeatMs: NOW_MS,
  heartbeatEveryMs: 3_600_000,
  queues: ['images'],
};
const GONE = { hostname: 'celery@gone', online: false, lastHeartbeatMs: NOW_MS - 3_600_000 };

const command = (method: string, title: string, more: Partial<Command> = {}): Command => ({
  ...{ method, title, kind: 'worker', role: 'admin', destructive: false, replies: true },
  ...{ says: `${title}.`, parameters: [], ...more },
});
const NUMBER = { name: 'n', required: false, doc: 'Processes', schema: { type: 'integer', minimum: 1, default: 1 } };
const COMMANDS = [
  command('pool_grow', 'Grow the pool', { parameters: [NUMBER] }),
  command('autoscale', 'Set the autoscale range', {
    parameters: ['max', 'min'].map((name) => ({ name, required: true, doc: name, schema: { type: 'integer' } })),
  }),
  command('shutdown', 'Shut down', { destructive: true, replies: false }),
  command('rate_limit', 'Set the rate limit', {
    role: 'editor',
    parameters: [
      { name: 'task_name', required: true, doc: 'Task', schema: { type: 'string' } },
      { name: 'rate_limit', required: true, doc: 'Limit', schema: { type: 'string' } },
    ],
  }),
  command('cancel_consumer', 'Stop consuming a queue', {
    destructive: true,
    parameters: [{ name: 'queue', required: true, doc: 'Queue', schema: { type: 'string' } }],
  }),
  command('add_consumer', 'Consume a queue', {
    parameters: [{ name: 'queue', required: true, doc: 'Queue', schema: { type: 'string' } }],
  }),
  command('revoke', 'Revoke', {
    role: 'editor',
    destructive: true,
    parameters: [{ name: 'task_id', required: true, doc: 'Id', schema: { type: 'string' } }],
  }),
];

const REPLIES: Readonly<Record<string, unknown>> = {
  stats: { pid: 7, pool: { 'max-concurrency': 4 }, total: { 'shop.add': 40 } },
  active: [{ id: 'id-1', name: 'shop.add', args: '[1]', kwargs: '{}', time_start: 1 }],
  reserved: [],
  scheduled: [],
  registered: ['shop.add', 'shop.mail [rate_limit=10/m]'],
  active_queues: [{ name: 'celery', exchange: { name: 'celery', type: 'direct' }, routing_key: 'celery' }],
};

const outcome = (more: Partial<CommandOutcome>): CommandOutcome => ({
  ...{ command: 'x', says: 'It will happen.', sent: true, workers: [], answers: [], silent: [] },
  ...more,
});
const send = jest.fn<unknown, [string, Target, Record<string, unknown>, { dryRun?: boolean }?]>();
const inspect = jest.fn();
const refresh = jest.fn();
let mayNobody = false;

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getAppEvents: () => ({ publish: jest.fn() }),
  getDataSourceSrv: () => ({
    get: async () => ({
      ...{ type: 'umbel-celery-datasource', uid: 'celery-uid', refresh: () => refresh() },
      client: {
        commands: () => of({ commands: COMMANDS }),
        me: () => of({ readOnly: mayNobody }),
        command: (...args: Parameters<typeof send>) => send(...args),
        inspect: (...args: unknown[]) => inspect(...args),
        workerEvents: () =>
          of({ hostname: 'celery@a', events: [{ type: 'worker-online', timestampMs: 1, fields: {} }] }),
      },
    }),
  }),
  PanelDataErrorView: ({ message }: { message?: string }) => <p>{message}</p>,
}));

beforeAll(() => giveElementsHeight());
beforeEach(() => {
  jest.clearAllMocks();
  mayNobody = false;
  as('Admin');
  send.mockImplementation((_method, target, _args, options) =>
    of(
      outcome({
        sent: options?.dryRun !== true,
        workers: 'workers' in target ? (target.workers ?? []) : [],
        answers: options?.dryRun === true ? [] : [{ worker: 'celery@a', ok: true, reply: { ok: 'pool will grow' } }],
      }),
    ),
  );
  inspect.mockImplementation((what: string) =>
    of(outcome({ answers: [{ worker: 'celery@a', ok: true, reply: REPLIES[what] ?? {} }] })),
  );
});

function as(orgRole: string): void {
  config.bootData = { ...config.bootData, user: { ...config.bootData?.user, orgRole } } as typeof config.bootData;
}

interface Shown {
  readonly series?: DataFrame[];
  readonly options?: Partial<WorkersOptions>;
  readonly state?: LoadingState;
  readonly width?: number;
}

function show({ series = [frameOfRows('workers', [A, B, GONE])], options, state, width = 1400 }: Shown = {}) {
  return render(
    <WorkersPanel {...panelProps({ series, state, width, options: { ...DEFAULT_OPTIONS, ...options } })} />,
  );
}

const cellsOf = (name: string) =>
  within(screen.getByRole('button', { name }).closest('[role="row"]') as HTMLElement)
    .getAllByRole('cell')
    .map(({ textContent }) => textContent);

const menuItem = (name: RegExp) => screen.findByRole('menuitem', { name });

/** Once the agent has told its commands. */
async function enabled(name: RegExp) {
  await waitFor(() => expect(screen.getByRole('button', { name })).toBeEnabled());
  await waitFor(() => expect(screen.getByRole('button', { name })).not.toHaveAttribute('aria-disabled', 'true'));
  return screen.getByRole('button', { name });
}

async function choose(button: RegExp, item: RegExp) {
  await userEvent.click(await enabled(button));
  await userEvent.click(await menuItem(item));
}

it('shows what each worker is and does', () => {
  show();
  expect(cellsOf('celery@a').slice(1, -1)).toEqual([
    ...['celery@a', 'Online', 'prefork 4 (2–8)', '1/4', '40', '–', '0.50', '64 MiB', '12 s', 'celery, mail'],
    ...['16', '5.5.0', expect.stringMatching(/now|ago/)],
  ]);
  expect(cellsOf('celery@gone')[2]).toBe('Offline · 1 h ago');
  expect(screen.getByText('2 online · 1 offline')).toBeInTheDocument();
});

it('takes rates from heartbeats, and from a series by worker where there is one', async () => {
  const { rerender } = show();
  const later = frameOfRows('workers', [{ ...A, processed: 60, lastHeartbeatMs: NOW_MS + 10_000 }, B]);
  rerender(<WorkersPanel {...panelProps({ series: [later], width: 1400, options: DEFAULT_OPTIONS })} />);
  await waitFor(() => expect(cellsOf('celery@a')[6]).toBe('2.0'));
});

it('searches by name, queue and pool', async () => {
  show();
  await userEvent.type(screen.getByRole('searchbox', { name: 'Search workers' }), 'images{Enter}');
  expect(screen.queryByRole('button', { name: 'celery@a' })).not.toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'celery@b' })).toBeInTheDocument();
});

/** The dialog takes the focus a moment after it is there: a key pressed before that goes astray. */
async function openedDialog(): Promise<HTMLElement> {
  const dialog = await screen.findByRole('dialog');
  await waitFor(() => expect(dialog).toContainElement(document.activeElement as HTMLElement));
  return dialog;
}

it('sends a command to the workers that were chosen, after it has told what will happen, and shows the answers', async () => {
  show();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select celery@a' }));
  await choose(/Actions for 1 selected/, /Grow the pool/);
  const dialog = await openedDialog();
  expect(await within(dialog).findByText(/Reaches 1 worker/)).toHaveTextContent('celery@a');
  expect(send.mock.calls.every(([, , , options]) => options?.dryRun)).toBe(true);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Grow the pool' }));
  expect(send).toHaveBeenCalledWith('pool_grow', { workers: ['celery@a'] }, { n: 1 });
  expect(await within(dialog).findByText(/pool will grow/)).toBeInTheDocument();
  expect(refresh).toHaveBeenCalled();
});

it('sends to all that are shown and online when none is chosen, and shows a worker’s own words of refusal', async () => {
  send.mockImplementation((_method, _target, _args, options) =>
    of(
      options?.dryRun === true
        ? outcome({ sent: false })
        : outcome({
            answers: [{ worker: 'celery@a', ok: false, error: 'Autoscale not enabled' }],
            silent: ['celery@b'],
          }),
    ),
  );
  show();
  await choose(/Actions for all 2 shown/, /autoscale range/);
  const dialog = await openedDialog();
  await userEvent.type(within(dialog).getByLabelText(/^Max/), '8');
  await userEvent.type(within(dialog).getByLabelText(/^Min/), '2');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Set the autoscale range' }));
  expect(send).toHaveBeenCalledWith('autoscale', { workers: ['celery@a', 'celery@b'] }, { max: 8, min: 2 });
  expect(await within(dialog).findByText(/Autoscale not enabled/)).toBeInTheDocument();
  expect(within(dialog).getByText(/no answer in time/)).toHaveTextContent('celery@b');
});

it('shuts a worker down only after the word was typed', async () => {
  show();
  await choose(/Actions for celery@b/, /Shut down/);
  const dialog = await openedDialog();
  const button = within(dialog).getByRole('button', { name: 'Shut down' });
  expect(button).toBeDisabled();
  await userEvent.type(within(dialog).getByLabelText(/Type "shutdown"/), 'shutdown');
  await userEvent.click(button);
  expect(send).toHaveBeenCalledWith('shutdown', { workers: ['celery@b'] }, {});
});

it.each([
  ['Viewer', { grow: false, rate: false }],
  ['Editor', { grow: false, rate: true }],
  ['Admin', { grow: true, rate: true }],
])('offers a %s what he may do, and says why he may not do the rest', async (role, { grow, rate }) => {
  as(role);
  show();
  await userEvent.click(await enabled(/Actions for all/));
  for (const [name, may, needs] of [
    [/Grow the pool/, grow, 'Admin'],
    [/rate limit/, rate, 'Editor'],
  ] as const) {
    const item = await menuItem(name);
    if (may) {
      expect(item).not.toHaveAttribute('aria-disabled', 'true');
    } else {
      expect(item).toHaveTextContent(`Needs the role ${needs}; you are ${role}.`);
      await userEvent.click(item);
    }
  }
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});

it('offers nothing to a worker that is offline, and nothing at all when it only shows', async () => {
  const { unmount } = show();
  await enabled(/Actions for celery@a/);
  expect(screen.getByRole('button', { name: /Actions for celery@gone/ })).toBeDisabled();
  unmount();
  show({ options: { actions: false } });
  expect(screen.queryByRole('checkbox')).not.toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /Actions/ })).not.toBeInTheDocument();
});

it('says so when nobody may act', async () => {
  mayNobody = true;
  show();
  const button = screen.getByRole('button', { name: /Actions for all/ });
  await userEvent.hover(button);
  expect(await screen.findByText(/runs with --read-only/)).toBeInTheDocument();
  expect(button).toHaveAttribute('aria-disabled', 'true');
});

describe('the details of a worker', () => {
  async function open(tab: string) {
    show();
    await enabled(/Actions for all/);
    await userEvent.click(screen.getByRole('button', { name: 'celery@a' }));
    await userEvent.click(await screen.findByRole('tab', { name: tab }));
  }

  it('are its statistics', async () => {
    await open('Statistics');
    expect(await screen.findByRole('table', { name: 'Tasks since its start' })).toHaveTextContent('shop.add40');
    expect(screen.getByRole('row', { name: 'pool.max-concurrency 4' })).toBeInTheDocument();
    expect(inspect).toHaveBeenCalledWith('stats', 'celery@a');
  });

  it('are its tasks, which can be revoked everywhere', async () => {
    await open('Tasks');
    await userEvent.click(await screen.findByRole('button', { name: 'Revoke shop.add' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Revoke' }));
    expect(send).toHaveBeenCalledWith('revoke', { all: true }, { task_id: 'id-1' });
  });

  it('are the tasks it knows, with a form for limits', async () => {
    await open('Registered');
    await userEvent.click(await screen.findByRole('button', { name: 'Set the rate limit: shop.mail' }));
    const field = await screen.findByLabelText(/^Rate limit/);
    expect(field).toHaveValue('10/m');
    await userEvent.click(screen.getByRole('button', { name: 'Set the rate limit' }));
    expect(send).toHaveBeenCalledWith(
      'rate_limit',
      { workers: ['celery@a'] },
      { task_name: 'shop.mail', rate_limit: '10/m' },
    );
  });

  it('are its queues, each of which it can stop consuming', async () => {
    await open('Queues');
    await userEvent.click(await screen.findByRole('button', { name: 'Stop consuming celery' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Stop consuming a queue' }));
    expect(send).toHaveBeenCalledWith('cancel_consumer', { workers: ['celery@a'] }, { queue: 'celery' });
    expect(screen.getByRole('button', { name: 'Consume a queue' })).toBeInTheDocument();
  });

  it('are its events', async () => {
    await open('Events');
    expect(await screen.findByText('worker-online')).toBeInTheDocument();
  });

  it('say when it is silent, and when the agent cannot ask', async () => {
    inspect.mockReturnValue(of(outcome({ silent: ['celery@a'] })));
    await open('Report');
    expect(await screen.findByText('The worker did not answer in time')).toBeInTheDocument();
    inspect.mockReturnValue(throwError(() => new Error('The broker is away.')));
    await userEvent.click(screen.getByRole('button', { name: 'Ask again' }));
    expect(await screen.findByText('The broker is away.')).toBeInTheDocument();
  });
});

it('draws only the rows on the screen of 2,000 workers', () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ ...B, hostname: `celery@${index}` }));
  show({ series: [frameOfRows('workers', many)] });
  expect(screen.getByRole('table')).toHaveAttribute('aria-rowcount', '2001');
  expect(screen.getAllByRole('row').length).toBeLessThan(60);
  expect(screen.getByText('2,000 online')).toBeInTheDocument();
});

it('says what to do without the query, that nobody is there, and that it waits', () => {
  const first = show({ series: [] });
  expect(screen.getByText(/Choose the query "Workers"/)).toBeInTheDocument();
  first.unmount();
  const second = show({ series: [frameOfRows('workers', [])] });
  expect(screen.getByText('No worker has been seen yet.')).toBeInTheDocument();
  second.unmount();
  show({ series: [], state: LoadingState.Loading });
  expect(screen.getByRole('status', { name: 'Loading' })).toBeInTheDocument();
});
