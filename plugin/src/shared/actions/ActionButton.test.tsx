import { config } from '@grafana/runtime';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { ActionButton } from './ActionButton';

const as = (orgRole: string) => {
  config.bootData = { user: { orgRole } } as typeof config.bootData;
};

it.each([false, true])(
  'a viewer sees an editor’s button with the reason why it is off (picture alone: %s)',
  async (iconOnly) => {
    as('Viewer');
    const onClick = jest.fn();
    render(<ActionButton role="editor" icon="ban" label="Revoke" onClick={onClick} iconOnly={iconOnly} />);
    const button = screen.getByRole('button', { name: /Revoke/ });
    expect(button).toHaveAttribute('aria-disabled', 'true');
    await userEvent.click(button);
    expect(onClick).not.toHaveBeenCalled();
    await userEvent.hover(button);
    expect((await screen.findAllByText(/Needs the role Editor; you are Viewer/)).length).toBeGreaterThan(0);
  },
);

it('an editor may press it, unless it makes no sense', async () => {
  as('Editor');
  const onClick = jest.fn();
  const view = render(<ActionButton role="editor" icon="ban" label="Revoke" onClick={onClick} />);
  await userEvent.click(screen.getByRole('button', { name: 'Revoke' }));
  expect(onClick).toHaveBeenCalledTimes(1);
  view.rerender(
    <ActionButton role="editor" icon="ban" label="Revoke" onClick={onClick} disabledReason="It has ended." />,
  );
  expect(screen.getByRole('button', { name: 'Revoke' })).toHaveAttribute('aria-disabled', 'true');
});
