import { describe, expect, it } from '@jest/globals';
import { systemClock } from './clock.ts';
import { Gate, GateFull } from './gate.ts';

const gate = (patienceMs = 10_000): Gate => new Gate({ seats: 2, waiting: 2, patienceMs, clock: systemClock });

describe('Gate', () => {
  it('lets in as many as there are seats, and the others in the order of arrival', async () => {
    const bounded = gate();
    const [first, second] = [await bounded.enter(), await bounded.enter()];
    const order: string[] = [];
    const third = bounded.enter().then((leave) => (order.push('third'), leave));
    const fourth = bounded.enter().then((leave) => (order.push('fourth'), leave));
    expect(bounded.stats()).toEqual({ seats: 2, taken: 2, waiting: 2, refused: 0 });
    await expect(bounded.enter()).rejects.toThrow(GateFull);
    second();
    (await third)();
    (await fourth)();
    expect(order).toEqual(['third', 'fourth']);
    first();
    expect(bounded.stats()).toEqual({ seats: 2, taken: 0, waiting: 0, refused: 1 });
  });

  it('turns away who has waited for too long, and nobody else', async () => {
    const bounded = gate(5);
    const leave = [await bounded.enter(), await bounded.enter()];
    await expect(bounded.enter()).rejects.toThrow('all 2 are taken');
    leave.forEach((each) => each());
    (await bounded.enter())();
    expect(bounded.stats()).toMatchObject({ taken: 0, waiting: 0, refused: 1 });
  });
});
