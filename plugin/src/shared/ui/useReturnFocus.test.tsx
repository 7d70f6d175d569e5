import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React, { useState } from 'react';
import { useReturnFocus } from './useReturnFocus';

function Dialog({ onClose }: { readonly onClose: () => void }) {
  useReturnFocus();
  return <button ref={(button) => button?.focus()} onClick={onClose}>{`Close`}</button>;
}

function Page() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button onClick={() => setOpen(true)}>{`Open`}</button>
      {open && <Dialog onClose={() => setOpen(false)} />}
    </>
  );
}

it('the focus is again where it was before the dialog', async () => {
  render(<Page />);
  await userEvent.click(screen.getByRole('button', { name: 'Open' }));
  expect(screen.getByRole('button', { name: 'Close' })).toHaveFocus();
  await userEvent.click(screen.getByRole('button', { name: 'Close' }));
  await waitFor(() => expect(screen.getByRole('button', { name: 'Open' })).toHaveFocus());
});
