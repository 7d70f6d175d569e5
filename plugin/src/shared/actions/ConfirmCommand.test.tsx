import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of, throwError } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { CommandOutcome } from '../api';
import { type Command, ConfirmCommand } from './ConfirmCommand';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getAppEvents: () => ({ publish: jest.fn() }),
}));

const shutdown: Command = {
  method: 'shutdown',
  kind: 'worker',
  title: 'Shut down',
  role: 'admin',
  destructive: true,
  replies: false,
  says: 'The worker will end.',
  parameters: [],
};
const grow: Command = {
  ...shutdown,
  method: 'pool_grow',
  title: 'Grow the pool',
  destructive: false,
  parameters: [
    {
      name: 'n',
      required: false,
      doc: 'Number of processes',
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 1 },
    },
  ],
};
const answer = (over: Partial<CommandOutcome>): CommandOutcome => ({
  command: 'x',
  says: 'celery@a will do it.',
  sent: true,
  workers: ['celery@a'],
  answers: [],
  silent: [],
  ...over,
});

function sourceWith(command: jest.Mock) {
  const refresh = jest.fn();
  return { source: { client: { command }, refresh } as unknown as CeleryDataSource, refresh };
}

const target = { workers: ['celery@a'] };

it('says whom it reaches, and sends the arguments only once they are confirmed', async () => {
  const command = jest.fn((_method, _target, _args, options) =>
    of(
      answer(
        options?.dryRun
          ? { sent: false }
          : { answers: [{ worker: 'celery@a', ok: true, reply: { ok: 'pool will grow' } }] },
      ),
    ),
  );
  const { source, refresh } = sourceWith(command);
  render(<ConfirmCommand source={source} command={grow} target={target} onClose={jest.fn()} />);
  expect(await screen.findByText(/Reaches 1 worker/)).toHaveTextContent('celery@a');

  const field = screen.getByRole('spinbutton', { name: /^N/ });
  fireEvent.change(field, { target: { value: '3' } });
  expect(command.mock.calls.every(([, , , options]) => options?.dryRun)).toBe(true);
  await userEvent.click(screen.getByRole('button', { name: 'Grow the pool' }));

  expect(command).toHaveBeenCalledWith('pool_grow', target, { n: 3 });
  expect(await screen.findByText(/pool will grow/)).toBeInTheDocument();
  expect(refresh).toHaveBeenCalledTimes(1);
});

it('names the field that is wrong, and does not send it', async () => {
  const command = jest.fn(() => of(answer({ sent: false })));
  render(<ConfirmCommand source={sourceWith(command).source} command={grow} target={target} onClose={jest.fn()} />);
  const field = screen.getByRole('spinbutton', { name: /^N/ });
  fireEvent.change(field, { target: { value: '0' } });
  expect(
    screen.getByText('n must be at least 1.', { selector: '[role="alert"], [role="alert"] *' }),
  ).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Grow the pool' })).toHaveAttribute('aria-disabled', 'true');
});

it('wants "shutdown" typed before it shuts a worker down', async () => {
  const command = jest.fn(() => of(answer({})));
  render(<ConfirmCommand source={sourceWith(command).source} command={shutdown} target={target} onClose={jest.fn()} />);
  const button = screen.getByRole('button', { name: 'Shut down' });
  expect(button).toBeDisabled();
  // At once: a dialog takes the focus a moment after it opens, and would take it from who types.
  fireEvent.change(screen.getByLabelText('Type "shutdown" to confirm'), { target: { value: 'shutdown' } });
  await userEvent.click(button);
  await waitFor(() => expect(command).toHaveBeenCalledWith('shutdown', target, {}));
  expect(await screen.findByText('Sent. Workers do not answer this.')).toBeInTheDocument();
});

it('shows a worker’s own words of refusal, those who were silent, and the agent’s errors', async () => {
  const refusal = { worker: 'celery@a', ok: false };
  const command = jest.fn((_method, _target, _args, options) =>
    options?.dryRun
      ? of(answer({ sent: false }))
      : of(answer({ answers: [{ ...refusal, error: 'no pool', hint: 'Give it one.' }], silent: ['celery@b'] })),
  );
  const view = render(
    <ConfirmCommand source={sourceWith(command).source} command={grow} target={target} onClose={jest.fn()} />,
  );
  await userEvent.click(await screen.findByRole('button', { name: 'Grow the pool' }));
  expect(await screen.findByText(/no pool/)).toHaveTextContent('celery@a: no pool');
  expect(screen.getByText('Give it one.')).toBeInTheDocument();
  expect(screen.getByText(/no answer in time/)).toHaveTextContent('celery@b');
  view.unmount();

  const refused = jest.fn(() => throwError(() => new Error('Needs the role Admin.')));
  render(<ConfirmCommand source={sourceWith(refused).source} command={grow} target={target} onClose={jest.fn()} />);
  expect(await screen.findByText('Needs the role Admin.')).toBeInTheDocument();
});
