import { map, type Observable, scan } from 'rxjs';
import type { LiveMessage } from '../../../shared/api';
import type { LiveState } from '../../../shared/ui/LiveBadge';
import { follow, type Tick } from '../../live/follow';
import { passesLists } from '../adhoc';
import type { QueryContext } from '../kind';
import type { Event } from './frame';

/** As the agent's GET /events takes them. */
export interface EventParams {
  readonly names?: readonly string[];
  readonly states?: readonly string[];
  readonly types?: readonly string[];
  readonly workers?: readonly string[];
  readonly notNames?: readonly string[];
  readonly notStates?: readonly string[];
  readonly notWorkers?: readonly string[];
  readonly taskId?: string;
  readonly text?: string;
}

const DRAW_EVERY_MS = 250;

/**
 * What happens, as it happens, the newest first; what the stream kept before comes at once, so that a refresh shows no
 * empty panel.
 */
export function liveEvents(
  params: EventParams,
  limit: number,
  { live: stream }: QueryContext,
): Observable<{ events: readonly Event[]; live: LiveState }> {
  const kept = stream.ring.since(0).entries.filter((message) => passes(message, params));
  const start = { events: kept.slice(-limit).reverse().map(eventOf), live: stream.current };
  return follow(stream, stream.ring.next, DRAW_EVERY_MS).pipe(
    scan((state: { events: readonly Event[]; live: LiveState }, tick: Tick) => {
      if (tick.kind === 'state') {
        return { ...state, live: tick.state };
      }
      if (tick.kind === 'gap') {
        return state;
      }
      const told = tick.messages
        .filter((message) => passes(message, params))
        .map(eventOf)
        .reverse();
      return told.length === 0 ? state : { ...state, events: [...told, ...state.events].slice(0, limit) };
    }, start),
    map((state) => state),
  );
}

export function passes(message: LiveMessage, params: EventParams): boolean {
  const { names, states, types, workers, notNames, notStates, notWorkers, taskId, text } = params;
  const isTask = message.kind === 'task';
  return (
    (types === undefined ? message.type !== 'worker-heartbeat' : types.includes(message.type)) &&
    passesLists(workers, notWorkers, message.worker) &&
    passesLists(names, notNames, isTask ? message.name : null) &&
    passesLists(states, notStates, isTask ? message.state : null) &&
    (taskId === undefined || (isTask && message.taskId === taskId)) &&
    (text === undefined || JSON.stringify(message).toLowerCase().includes(text.toLowerCase()))
  );
}

/** The stream tells no ids. */
export function liveId({
  type,
  taskId,
  worker,
  timestampMs,
}: Pick<Event, 'type' | 'taskId' | 'worker' | 'timestampMs'>) {
  return `${type}-${taskId ?? worker}-${timestampMs}`;
}

function eventOf(message: LiveMessage): Event {
  const { type, timestampMs, worker } = message;
  const [taskId, name] = message.kind === 'task' ? [message.taskId, message.name] : [null, null];
  const { kind: _kind, ...fields } = message;
  const told = message.kind === 'task' && message.runtimeMs !== null ? { runtime: message.runtimeMs / 1000 } : {};
  return {
    ...{ id: liveId({ type, taskId, worker: worker ?? '', timestampMs }), type, taskId, name, worker: worker ?? '' },
    ...{ timestampMs, receivedMs: timestampMs, clock: 0, fields: { ...fields, ...told } },
  };
}
