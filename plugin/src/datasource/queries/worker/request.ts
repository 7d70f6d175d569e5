import { map } from 'rxjs';
import { rangeParams } from '../filter';
import type { Kind } from '../kind';
import { workersFrame } from '../workers/frame';
import { inspectFrame, workerEventsFrame } from './frame';

/** The command of Celery's remote control behind each view. */
const COMMANDS = {
  active: 'active',
  reserved: 'reserved',
  scheduled: 'scheduled',
  registered: 'registered',
  queues: 'active_queues',
  stats: 'stats',
  conf: 'conf',
} as const;

const MOST_EVENTS = 1000;

export const workerKind: Kind<'worker'> = {
  isComplete: ({ hostname = '' }) => hostname.trim() !== '',
  text: ({ hostname = '', show = 'detail' }) => `Worker ${hostname}, ${show}`,
  run: ({ hostname = '', show = 'detail' }, context) => {
    const { client, refId, requestId, links } = context;
    const name = hostname.trim();
    if (show === 'detail') {
      const kind = 'worker-detail';
      return client
        .worker(name, requestId)
        .pipe(map((worker) => ({ frames: [workersFrame(refId, [worker], links, { kind })] })));
    }
    if (show === 'events') {
      return client
        .workerEvents(name, { ...rangeParams(context), limit: MOST_EVENTS }, requestId)
        .pipe(map((answer) => ({ frames: [workerEventsFrame(refId, answer, MOST_EVENTS)] })));
    }
    return client
      .inspect(COMMANDS[show], name, {}, requestId)
      .pipe(map((outcome) => ({ frames: [inspectFrame(refId, show, outcome, links)] })));
  },
};
