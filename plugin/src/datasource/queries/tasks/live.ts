import { map, merge, type Observable } from 'rxjs';
import type { LiveTask, TaskPage } from '../../../shared/api';
import type { LiveState } from '../../../shared/ui/LiveBadge';
import { keepCurrent, type Progress } from '../../live/current';
import { follow, type Tick } from '../../live/follow';
import { applyMessages, isUntold, type Order, replaceRows } from '../../live/tasks';
import type { TasksQuery } from '../../query';
import { filterParams } from '../filter';
import type { QueryContext } from '../kind';
import type { TasksAnswer } from './frame';
import { PAGE, rowLimit, tasksAnswers } from './request';

/** The history is asked for what the stream does not tell (arguments, results), and for what it lost, at most so often. */
const CHECK_EVERY_MS = 5000;
/** Messages before the query's start that the history may not have stored yet. */
const TAIL = 5000;
/** A larger table takes longer to draw: it is drawn less often, and still within the second. */
const drawEveryMs = (rows: number) => (rows <= 2000 ? 250 : rows <= 5000 ? 500 : 800);

interface State extends Progress {
  readonly answer?: TasksAnswer;
  readonly live: LiveState;
  /** Told before the rows were all there */
  readonly waiting: readonly LiveTask[];
}

type Step =
  Tick | { readonly kind: 'answer'; readonly answer: TasksAnswer } | { readonly kind: 'read'; readonly page: TaskPage };

/** The answer of the history, kept current by the stream; in some seconds by the history again. Does not end. */
export function liveTasks(query: TasksQuery, context: QueryContext): Observable<TasksAnswer> {
  const { live: stream, client, requestId } = context;
  const { sort, order } = query;
  const rows: Order = { sort, order, limit: rowLimit(query) };
  const check = () => {
    const params = { ...filterParams(query.filter, context), sort, order, limit: Math.min(rows.limit, PAGE) };
    return client.tasks(params, `${requestId}-check`).pipe(map((page): Step => ({ kind: 'read', page })));
  };
  return keepCurrent<State, Step>({
    steps: merge(
      tasksAnswers(query, context).pipe(map((answer): Step => ({ kind: 'answer', answer }))),
      follow(stream, Math.max(stream.ring.next - TAIL, 0), drawEveryMs(rows.limit)),
    ),
    check,
    checkEveryMs: CHECK_EVERY_MS,
    start: { live: stream.current, waiting: [], draw: false, ask: false },
    next: (state, step) => nextState(state, step, rows),
  }).pipe(map(({ answer, live }) => ({ ...(answer as TasksAnswer), live })));
}

function isWhole(answer: TasksAnswer | undefined): answer is TasksAnswer {
  return answer !== undefined && answer.nextCursor !== undefined;
}

function nextState(state: State, step: Step, rows: Order): State {
  const { answer, waiting } = state;
  switch (step.kind) {
    case 'state':
      return { ...state, live: step.state, draw: answer !== undefined };
    case 'gap':
      return { ...state, ask: true };
    case 'answer': {
      const { total, totalExact } = step.answer;
      if (isWhole(answer)) {
        return { ...state, answer: { ...answer, total, totalExact }, draw: true };
      }
      const given = { ...state, answer: step.answer, draw: true };
      return isWhole(step.answer) ? told({ ...given, waiting: [] }, waiting, rows) : given;
    }
    case 'read': {
      if (!isWhole(answer)) {
        return state;
      }
      const tasks = replaceRows(answer.tasks, step.page.tasks, rows, isUntold(answer.filter) && rows.limit <= PAGE);
      return { ...state, answer: { ...answer, tasks }, draw: true };
    }
    default: {
      const messages = step.messages.filter((message): message is LiveTask => message.kind === 'task');
      return isWhole(answer) ? told(state, messages, rows) : { ...state, waiting: [...waiting, ...messages] };
    }
  }
}

function told(state: State, messages: readonly LiveTask[], rows: Order): State {
  const { answer } = state;
  if (answer === undefined || messages.length === 0) {
    return state;
  }
  const { tasks, changed, uncertain } = applyMessages(answer.tasks, messages, answer.filter, rows);
  return { ...state, answer: { ...answer, tasks }, draw: state.draw || changed, ask: changed || uncertain };
}
