import type { TaskFilter } from '../../shared/api';
import type { TaskFilterFields } from '../query';
import { withAdHocFilters } from './adhoc';
import type { QueryContext } from './kind';

const LISTS = ['names', 'states', 'workers', 'queues', 'exceptionTypes'] as const;

/**
 * A saved filter as the parameters of the agent, over the time range, with the dashboard's ad-hoc filters.
 *
 * @throws NothingMatches where filters exclude each other
 * @throws AgentError for an ad-hoc filter that the agent cannot apply
 */
export function filterParams(filter: TaskFilterFields = {}, context: QueryContext): TaskFilter {
  const { names, states, workers, queues, exceptionTypes, orphaned, ...texts } = filter;
  const given = Object.fromEntries(
    Object.entries({ names, states, workers, queues, exceptionTypes }).filter(([, list]) => (list ?? []).length > 0),
  );
  const plain = Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text.trim() === '' ? [] : [[name, text.trim()]])),
  );
  const marks = orphaned === true ? { orphaned } : {};
  return withAdHocFilters({ ...given, ...plain, ...marks, ...rangeParams(context) }, context.adHocFilters);
}

/** Without `to` the end stays open, for workers whose clock is ahead. */
export function rangeParams({ fromMs, toMs, open }: QueryContext): { from: string; to?: string } {
  return { from: String(fromMs), ...(open ? {} : { to: String(toMs) }) };
}

/** A filter in few words, for the list of queries. */
export function filterText(filter: TaskFilterFields = {}): string {
  const parts = [
    ...LISTS.flatMap((name) => ((filter[name] ?? []).length === 0 ? [] : [(filter[name] ?? []).join(', ')])),
    ...[filter.search, filter.fingerprint, filter.rootId, filter.parentId].filter((text) => (text ?? '') !== ''),
    ...(filter.orphaned === true ? ['orphaned'] : []),
    ...((filter.runtimeMin ?? '') === '' ? [] : [`≥ ${filter.runtimeMin}`]),
    ...((filter.runtimeMax ?? '') === '' ? [] : [`≤ ${filter.runtimeMax}`]),
  ];
  return parts.join(' · ');
}
