import { render, screen } from '@testing-library/react';
import React from 'react';
import { StateBadge } from './StateBadge';
import { isFinished, lookOf, STATES } from './stateLook';

it.each([...STATES, 'PROGRESS'])('%s is told by its word and a shape of its own, not by colour alone', (state) => {
  render(<StateBadge state={state} />);
  expect(screen.getByText(state).querySelector('path')).not.toBeNull();
  const others = STATES.filter((other) => other !== state);
  expect(others.map((other) => lookOf(other).shape)).not.toContain(lookOf(state).shape);
});

it('knows which tasks have ended', () => {
  expect(STATES.filter(isFinished)).toEqual(['SUCCESS', 'FAILURE', 'REVOKED', 'REJECTED']);
  expect(isFinished('PROGRESS')).toBe(false);
});
