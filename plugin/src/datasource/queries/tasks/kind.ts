import { map } from 'rxjs';
import { filterText } from '../filter';
import type { Answer, Kind } from '../kind';
import { tasksFrame } from './frame';
import { liveTasks } from './live';
import { tasksAnswers } from './request';

export const tasksKind: Kind<'tasks'> = {
  text: (query) => `Tasks ${filterText(query.filter)}`.trim(),
  run: (query, context) => {
    // What is over does not change any more.
    const isLive = query.live === true && context.open && context.lasting;
    const answers = isLive ? liveTasks(query, context) : tasksAnswers(query, context);
    return answers.pipe(
      map((answer): Answer => ({
        frames: [tasksFrame(context.refId, answer, context.links, Date.now(), query)],
        partial: answer.nextCursor === undefined,
        streaming: isLive,
      })),
    );
  },
};
