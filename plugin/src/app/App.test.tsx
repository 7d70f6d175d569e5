import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { AppRootProps } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import React from 'react';
import { of, throwError } from 'rxjs';
import { App } from './App';

const fetch = jest.fn();
const getList = jest.fn();
jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({ fetch }),
  getDataSourceSrv: () => ({ getList }),
  PluginPage: ({ children }: { children: unknown }) => children,
}));

const STATUS = {
  version: '0.1.0',
  startedMs: 0,
  uptimeMs: 1,
  demo: false,
  broker: { displayUrl: 'redis://broker:6379/0', connected: true, sinceMs: Date.now() - 3_600_000, reconnects: 0 },
  history: { enabled: true, connected: true, lagMs: 0, queuedBatches: 0, spilledBytes: 0 },
  live: { subscribers: 0, maxSubscribers: 100 },
  counts: {},
  warnings: ['2 workers send no task events.'],
};

function answer(status: object, task?: object) {
  fetch.mockImplementation(({ url }: { url: string }) => {
    if (url.endsWith('/status')) {
      return of({ data: status });
    }
    return task === undefined
      ? throwError(() => ({
          status: 404,
          data: { error: { code: 'not-found', message: 'No such task.' } },
          config: {},
        }))
      : of({ data: task });
  });
}

const show = () => render(<App {...({} as AppRootProps)} />);

beforeEach(() => {
  getList.mockReturnValue([{ uid: 'celery', name: 'Celery', url: '/api/datasources/proxy/uid/celery' }]);
});

it('shows how the agent stands, with its warnings', async () => {
  answer(STATUS);
  show();
  expect(await screen.findByText('Connected, with warnings')).toBeVisible();
  expect(screen.getByText('2 workers send no task events.')).toBeVisible();
  expect(screen.getByText(/broker:6379.*, connected/)).toBeVisible();
  expect(screen.queryByText('These are made-up tasks')).not.toBeInTheDocument();
});

it('says aloud that a demo is a demo', async () => {
  answer({ ...STATUS, demo: true, warnings: [] });
  show();
  expect(await screen.findByText('These are made-up tasks')).toBeVisible();
});

it('opens a task by its id', async () => {
  answer(STATUS, { taskId: 'a-task-id' });
  const push = jest.spyOn(locationService, 'push').mockImplementation(() => undefined);
  show();
  await userEvent.type(screen.getByLabelText('Task id'), ' a-task-id ');
  await userEvent.click(screen.getByRole('button', { name: 'Open task' }));
  await waitFor(() => expect(push).toHaveBeenCalledWith('/d/umbel-task?var-datasource=celery&var-task_id=a-task-id'));
});

it('says that there is no such task', async () => {
  answer(STATUS);
  const push = jest.spyOn(locationService, 'push').mockClear();
  show();
  await userEvent.type(screen.getByLabelText('Task id'), 'nowhere{Enter}');
  expect(await screen.findByText('No task with this id is known to Celery.')).toBeVisible();
  expect(push).not.toHaveBeenCalled();
});

it('leads to a first data source', () => {
  getList.mockReturnValue([]);
  show();
  expect(screen.getByText('No Celery data source yet')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Add a Celery data source' })).toHaveAttribute(
    'href',
    '/connections/datasources/umbel-celery-datasource',
  );
});
