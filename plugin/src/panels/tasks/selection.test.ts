import { coverage, extend, NOTHING, selectAll, selectWhole, toggle } from './selection';

const SHOWN = ['a', 'b', 'c', 'd'];
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids];

it('chooses and unchooses one', () => {
  const chosen = toggle(NOTHING, 'b');
  expect(ids(chosen)).toEqual(['b']);
  expect(ids(toggle(chosen, 'b'))).toEqual([]);
});

it('extends from the last chosen, up or down, and keeps what was chosen', () => {
  const chosen = toggle(toggle(NOTHING, 'd'), 'b');
  expect(ids(extend(chosen, 'c', SHOWN)).sort()).toEqual(['b', 'c', 'd']);
  expect(ids(extend(toggle(NOTHING, 'c'), 'a', SHOWN)).sort()).toEqual(['a', 'b', 'c']);
});

it('begins anew where the last chosen is not shown any more', () => {
  expect(ids(extend(toggle(NOTHING, 'gone'), 'a', SHOWN))).toEqual(['gone', 'a']);
});

it('is the whole filter only until one is unchosen', () => {
  const whole = selectWhole(SHOWN);
  expect(whole.whole).toBe(true);
  expect(toggle(whole, 'a').whole).toBe(false);
  expect(selectAll(SHOWN).whole).toBe(false);
});

it('tells how much of what is shown is chosen', () => {
  expect(coverage(NOTHING, SHOWN)).toBe('none');
  expect(coverage(toggle(NOTHING, 'a'), SHOWN)).toBe('some');
  expect(coverage(selectAll(SHOWN), SHOWN)).toBe('all');
  expect(coverage(selectAll(SHOWN), [])).toBe('none');
});
