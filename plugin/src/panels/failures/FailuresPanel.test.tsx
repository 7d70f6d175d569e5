import { config } from '@grafana/runtime';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of } from 'rxjs';
import { DATASOURCE_ID } from '../../shared/ids';
import { frameOfRows, panelProps, TEST_UID } from '../../shared/testing/panel.testkit';
import { FailuresPanel } from './FailuresPanel';
import { DEFAULT_OPTIONS } from './options';

const client = { startBulk: jest.fn() };
const source = { type: DATASOURCE_ID, uid: TEST_UID, client, options: {}, refresh: jest.fn() };
jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getDataSourceSrv: () => ({ get: async () => source }),
}));

const GROUPS = [
  {
    exceptionType: 'ValueError',
    message: 'bad <n>',
    fingerprint: 'f1',
    count: 3,
    firstMs: 1,
    lastMs: 5,
    names: ['app.a'],
    sampleTaskId: 't',
    sampleTraceback: 'Traceback (most recent call last):\nValueError: bad 1',
    trend: [0, 3],
  },
  {
    exceptionType: 'OSError',
    message: 'gone',
    fingerprint: 'f2',
    count: 1,
    firstMs: 1,
    lastMs: 9,
    names: ['app.b'],
    sampleTaskId: 'u',
    sampleTraceback: null,
    trend: [1, 0],
  },
];
const view = (orgRole: string, groups: readonly object[] = GROUPS) => {
  config.bootData = { user: { orgRole } } as typeof config.bootData;
  const frame = frameOfRows('failures', groups, { filter: { from: '1' }, trendFromMs: 0, trendStepMs: 1000 });
  return panelProps({ series: [frame], options: DEFAULT_OPTIONS });
};

it('shows the largest group first, with its trend in words', () => {
  render(<FailuresPanel {...view('Viewer')} />);
  const causes = screen.getAllByRole('button', { expanded: false }).map((button) => button.textContent);
  expect(causes).toEqual(['ValueError', 'OSError']);
  expect(screen.getByRole('img', { name: 'Most at 1970-01-01 00:00:01.000: 3' })).toBeInTheDocument();
});

it('opens a group: sample traceback, and a retry of all that a viewer may not start', async () => {
  render(<FailuresPanel {...view('Viewer')} />);
  await userEvent.click(screen.getByRole('button', { name: 'ValueError' }));
  expect(screen.getByRole('region', { name: 'Traceback' })).toHaveTextContent('ValueError: bad 1');
  expect(screen.getByRole('button', { name: 'Retry all 3…' })).toHaveAttribute('aria-disabled', 'true');
});

it('lets an editor retry all of a group, looking first', async () => {
  client.startBulk.mockReturnValue(
    of({
      id: 'b',
      action: 'retry',
      state: 'done',
      dryRun: true,
      matched: 3,
      done: 3,
      failed: 0,
      tasks: [],
      startedMs: 0,
    }),
  );
  render(<FailuresPanel {...view('Editor')} />);
  await userEvent.click(screen.getByRole('button', { name: 'ValueError' }));
  const retry = screen.getByRole('button', { name: 'Retry all 3…' });
  await waitFor(() => expect(retry).toHaveAttribute('aria-disabled', 'false'));
  await userEvent.click(retry);
  await userEvent.click(screen.getByRole('button', { name: 'See what would be hit' }));
  expect(client.startBulk).toHaveBeenCalledWith({
    action: 'retry',
    filter: { from: '1', states: ['FAILURE'], fingerprint: 'f1' },
    limit: 1000,
    dryRun: true,
  });
  expect(await screen.findByRole('button', { name: 'Retry 3 task(s)' })).toBeInTheDocument();
});

it('says so where nothing has failed', () => {
  render(<FailuresPanel {...view('Viewer', [])} />);
  expect(screen.getByText('No failures in this time range')).toBeInTheDocument();
});

it('leads to the tasks of the group, with the time range', async () => {
  render(<FailuresPanel {...view('Viewer')} />);
  await userEvent.click(screen.getByRole('button', { name: 'ValueError' }));
  const link = await screen.findByRole('link', { name: 'Show tasks' });
  const url = new URL(link.getAttribute('href') ?? '', 'http://grafana');
  expect(url.pathname).toBe('/d/umbel-tasks');
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    'var-datasource': TEST_UID,
    'var-fingerprint': 'f1',
    'var-state': 'FAILURE',
    from: 'now-6h',
    to: 'now',
  });
});
