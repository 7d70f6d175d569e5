import { systemClock } from '../../lib/clock.ts';
import { describeTransport } from '../conformance.testkit.ts';
import { openDemoTransport } from './transport.ts';

describeTransport('demo', () =>
  Promise.resolve({
    open: (logger) => openDemoTransport({ clock: systemClock, logger, seed: 5, tasksPerSecond: 50 }),
    close: () => Promise.resolve(),
  }),
);
