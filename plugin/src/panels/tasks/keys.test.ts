import { moveFocus } from './keys';

it.each([
  ['ArrowDown', -1, 0],
  ['ArrowDown', 9, 9],
  ['ArrowUp', -1, 0],
  ['ArrowUp', 3, 2],
  ['PageDown', 2, 6],
  ['PageUp', 2, 0],
  ['Home', 5, 0],
  ['End', 5, 9],
  ['x', 5, undefined],
])('%s takes row %s to %s', (key, from, to) => {
  expect(moveFocus(key, from, 10, 4)).toBe(to);
});

it('has nowhere to go in an empty table', () => {
  expect(moveFocus('ArrowDown', -1, 0, 4)).toBeUndefined();
});
