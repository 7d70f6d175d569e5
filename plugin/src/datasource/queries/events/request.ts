import { EMPTY, expand, map, type Observable } from 'rxjs';
import type { Events } from '../../../shared/api';
import { truncated } from '../../../shared/frames/table';
import type { EventsQuery } from '../../query';
import { cannot, withAdHocFilters } from '../adhoc';
import { filterText, rangeParams } from '../filter';
import type { Answer, Kind, QueryContext } from '../kind';
import { eventsFrame } from './frame';
import { type EventParams, liveEvents } from './live';

const PAGE = 1000;
export const MOST_EVENTS = 10_000;

export const eventsKind: Kind<'events'> = {
  text: ({ filter, types = [], taskId = '', text = '' }) =>
    ['Events', filterText(filter), types.join(', '), taskId, text].filter((part) => part !== '').join(' '),
  run: (query, context) => {
    const { refId, links } = context;
    const limit = Math.min(Math.max(query.limit ?? PAGE, 1), MOST_EVENTS);
    const params = eventParams(query, context);
    if (query.live === true && context.lasting) {
      return liveEvents(params, limit, context).pipe(
        map(({ events, live }) => ({ frames: [eventsFrame(refId, events, links, { live })], streaming: true })),
      );
    }
    return pagesOf(params, limit, context).pipe(
      map(({ events, nextCursor }): Answer => {
        const more = `Shows the newest ${events.length.toLocaleString('en')} events. Narrow the filter or the time range.`;
        const notices = nextCursor === null ? [] : [truncated(more)];
        return {
          frames: [eventsFrame(refId, events, links, { notices })],
          partial: nextCursor !== null && events.length < limit,
        };
      }),
    );
  },
};

/**
 * What an events query asks for, with the dashboard's ad-hoc filters.
 *
 * @throws AgentError for a filter that events do not know
 */
export function eventParams(query: EventsQuery, { adHocFilters }: QueryContext): EventParams {
  const { names, states, workers } = query.filter ?? {};
  const unknown = adHocFilters.find(({ key }) => key === 'queue' || key === 'exceptionType');
  if (unknown !== undefined) {
    throw cannot(`Events cannot be filtered by ${unknown.key}. Use name, state, worker or taskId.`);
  }
  const filter = withAdHocFilters({ names, states, workers }, adHocFilters);
  const { notNames, notStates, notWorkers } = filter;
  const given = (text: string | undefined) => (text === undefined || text.trim() === '' ? undefined : text.trim());
  const list = (values: readonly string[] | undefined) =>
    values === undefined || values.length === 0 ? undefined : values;
  return {
    ...{ names: list(filter.names), states: list(filter.states), workers: list(filter.workers) },
    ...{ notNames, notStates, notWorkers },
    ...{ types: list(query.types), taskId: given(query.taskId) ?? filter.ids?.[0], text: given(query.text) },
  };
}

function pagesOf(params: EventParams, limit: number, context: QueryContext): Observable<Events> {
  const { client, requestId } = context;
  const pageAfter = (cursor: string | undefined, left: number) =>
    client.events({ ...params, ...rangeParams(context), limit: Math.min(left, PAGE), cursor }, requestId);
  return pageAfter(undefined, limit).pipe(
    expand(({ events, nextCursor }) =>
      nextCursor === null || events.length >= limit
        ? EMPTY
        : pageAfter(nextCursor, limit - events.length).pipe(
            map((page) => ({ events: [...events, ...page.events], nextCursor: page.nextCursor })),
          ),
    ),
  );
}
