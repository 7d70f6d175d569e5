import { map } from 'rxjs';
import type { Kind } from '../kind';
import { taskFrame, timelineFrame } from './frame';

export const taskKind: Kind<'task'> = {
  isComplete: ({ taskId = '' }) => taskId.trim() !== '',
  text: ({ taskId = '', show = 'detail' }) => `Task ${taskId}, ${show}`,
  run: ({ taskId = '', show = 'detail' }, { client, refId, requestId, links }) => {
    const id = taskId.trim();
    return show === 'timeline'
      ? client.timeline(id, requestId).pipe(map((timeline) => ({ frames: [timelineFrame(refId, timeline, links)] })))
      : client.task(id, requestId).pipe(map((task) => ({ frames: [taskFrame(refId, task, links)] })));
  },
};
