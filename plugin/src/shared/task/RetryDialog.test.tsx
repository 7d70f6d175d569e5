import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of, throwError } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import { RetryDialog } from './RetryDialog';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getAppEvents: () => ({ publish: jest.fn() }),
}));

const plan = {
  taskId: 't',
  name: 'app.add',
  queue: 'q',
  argsJson: '[12345678901234567890]',
  kwargsJson: '{}',
  source: 'events',
};
const retried = { taskId: 't', newTaskId: 'new-1', plan };

/** At once: a dialog takes the focus a moment after it opens, and would take it from who types. */
function fill(field: HTMLElement, value: string): void {
  fireEvent.change(field, { target: { value } });
}

function show(retryPlan: jest.Mock, retry = jest.fn(() => of(retried))) {
  const [onSent, onOpen, onClose] = [jest.fn(), jest.fn(), jest.fn()];
  const source = { client: { retryPlan, retry } } as unknown as CeleryDataSource;
  render(<RetryDialog source={source} task={{ taskId: 't', name: 'app.add' }} {...{ onSent, onOpen, onClose }} />);
  return { retry, onSent, onOpen };
}

it('sends edited arguments digit by digit, and shows the new task', async () => {
  const { retry, onSent, onOpen } = show(jest.fn(() => of(plan)));
  const args = screen.getByRole('textbox', { name: /^Arguments/ });
  expect(args).toHaveValue('[12345678901234567890]');
  fill(args, '[12345678901234567891]');
  await userEvent.click(screen.getByRole('button', { name: 'Send again' }));
  expect(retry).toHaveBeenCalledWith('t', '{"args":[12345678901234567891]}');
  expect(await screen.findByText('As task new-1')).toBeInTheDocument();
  expect(onSent).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByRole('button', { name: 'Show the new task' }));
  expect(onOpen).toHaveBeenCalledWith('new-1');
});

it('says why the arguments are not known, and lets them be typed', async () => {
  const { retry } = show(jest.fn(() => throwError(() => new Error('The arguments were cut.'))));
  expect(screen.getByText('The arguments were cut.')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Send again' })).toBeDisabled();
  fill(screen.getByRole('textbox', { name: /^Arguments/ }), '[1]');
  fill(screen.getByRole('textbox', { name: /^Keyword arguments/ }), '{}');
  await userEvent.click(screen.getByRole('button', { name: 'Send again' }));
  expect(retry).toHaveBeenCalledWith('t', '{"args":[1],"kwargs":{}}');
});

it('names the field that is no JSON', async () => {
  show(jest.fn(() => of(plan)));
  fill(screen.getByRole('textbox', { name: /^Keyword arguments/ }), 'x');
  expect(screen.getByText(/^Must be JSON: an object/)).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Send again' })).toBeDisabled();
});
