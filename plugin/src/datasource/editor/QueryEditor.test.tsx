import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import type { CeleryDataSource } from '../datasource';
import type { CeleryQuery, QueryKind } from '../query';
import { QueryEditor } from './QueryEditor';
import { QueryHelp } from './QueryHelp';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getTemplateSrv: () => ({ getVariables: () => [{ name: 'worker' }] }),
}));

jest.setTimeout(30_000); // Grafana's lists are slow to draw here

beforeAll(() => {
  // Grafana's lists measure their texts; jsdom draws none.
  const context = { measureText: () => ({ width: 0 }) } as unknown as CanvasRenderingContext2D;
  jest.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(context as never);
});

const datasource = { choices: { of: async () => ['a', 'b'] } } as unknown as CeleryDataSource;

function show(query: CeleryQuery) {
  const [onChange, onRunQuery] = [jest.fn(), jest.fn()];
  render(<QueryEditor {...{ query, onChange, onRunQuery, datasource }} />);
  return { onChange, onRunQuery };
}

it.each<[QueryKind, string]>([
  ['tasks', 'Search'],
  ['task', 'Task ID'],
  ['series', 'Legend'],
  ['failures', 'Groups at most'],
  ['workers', 'Workers'],
  ['worker', 'Worker'],
  ['queues', 'Queues'],
  ['workflow', 'Task ID'],
  ['events', 'Text'],
  ['audit', 'User'],
])('%s has its own fields', (kind, label) => {
  show({ refId: 'A', kind } as CeleryQuery);
  expect(screen.getByLabelText(label)).toBeInTheDocument();
  expect(screen.getByLabelText('Query')).toBeInTheDocument();
});

it('runs a query when a text is entered, not with every letter', async () => {
  const { onChange, onRunQuery } = show({ refId: 'A', kind: 'task' });
  await userEvent.type(screen.getByLabelText('Task ID'), '5d2e');
  expect(onChange).not.toHaveBeenCalled();
  await userEvent.keyboard('{Enter}');
  expect(onChange).toHaveBeenCalledWith({ refId: 'A', kind: 'task', taskId: '5d2e' });
  expect(onRunQuery).toHaveBeenCalledTimes(1);
});

it('keeps a limit within what can be had', async () => {
  const { onChange } = show({ refId: 'A', kind: 'tasks' });
  await userEvent.type(screen.getByLabelText('Limit'), '99999{Enter}');
  expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ limit: 10_000 }));
});

it('takes a text that another data source handed over for a task', () => {
  show({ refId: 'A', query: 'x-1' } as unknown as CeleryQuery);
  expect(screen.getByLabelText('Task ID')).toHaveValue('x-1');
});

it('offers examples', async () => {
  const onClickExample = jest.fn();
  render(<QueryHelp {...{ onClickExample, datasource: datasource as never, query: { refId: 'A', kind: 'tasks' } }} />);
  await userEvent.click(screen.getByRole('button', { name: /Slow tasks/ }));
  expect(onClickExample).toHaveBeenCalledWith(expect.objectContaining({ kind: 'tasks', sort: 'runtime' }));
});
