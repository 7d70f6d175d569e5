import type { Bulk, TaskFilter } from '../api';

export type BulkKind = 'revoke' | 'terminate' | 'retry';

/** What is to be done, and to which tasks. */
export interface BulkOrder {
  readonly kind: BulkKind;
  readonly filter: TaskFilter;
  /** Most tasks that may be hit */
  readonly limit: number;
  /** Of terminate */
  readonly signal: string;
}

/** The agent's most. */
export const MOST_TASKS = 10_000;

/**
 * Ask, look, do, tell: nothing is done before the agent has listed what would be hit (`planned`) and it was confirmed.
 * Whatever the order says anew takes it back to `asking`.
 */
export type BulkState =
  | { readonly step: 'asking'; readonly problem?: string }
  | { readonly step: 'planning'; readonly plan?: Bulk }
  | { readonly step: 'planned'; readonly plan: Bulk }
  | { readonly step: 'starting'; readonly plan: Bulk }
  | { readonly step: 'running'; readonly bulk: Bulk; readonly problem?: string; readonly cancelling?: boolean }
  | { readonly step: 'ended'; readonly bulk: Bulk };

export type BulkMove =
  | { readonly move: 'plan' }
  | { readonly move: 'edit' }
  | { readonly move: 'start' }
  | { readonly move: 'cancel' }
  | { readonly move: 'told'; readonly bulk: Bulk }
  | { readonly move: 'failed'; readonly problem: string };

export const ASKING: BulkState = { step: 'asking' };

export function bulkFlow(state: BulkState, move: BulkMove): BulkState {
  switch (move.move) {
    case 'edit':
      return isUnderWay(state) ? state : ASKING;
    case 'plan':
      return isUnderWay(state) ? state : { step: 'planning' };
    case 'start':
      return state.step === 'planned' ? { step: 'starting', plan: state.plan } : state;
    case 'cancel':
      return state.step === 'running' ? { ...state, cancelling: true } : state;
    case 'told':
      return told(state, move.bulk);
    case 'failed':
      return failed(state, move.problem);
  }
}

/** Something is being done, or was: it cannot be edited any more. */
function isUnderWay({ step }: BulkState): boolean {
  return step === 'starting' || step === 'running' || step === 'ended';
}

function told(state: BulkState, bulk: Bulk): BulkState {
  if (bulk.dryRun) {
    if (state.step !== 'planning') {
      return state;
    }
    return bulk.state === 'running' ? { step: 'planning', plan: bulk } : planned(bulk);
  }
  if (!isUnderWay(state) || state.step === 'ended') {
    return state;
  }
  if (bulk.state !== 'running') {
    return { step: 'ended', bulk };
  }
  return { step: 'running', bulk, ...(state.step === 'running' && state.cancelling && { cancelling: true }) };
}

function planned(plan: Bulk): BulkState {
  return plan.state === 'failed'
    ? { step: 'asking', problem: plan.problem ?? 'The agent could not find out what would be hit.' }
    : { step: 'planned', plan };
}

/** While it runs only the look at it failed, which is tried again. */
function failed(state: BulkState, problem: string): BulkState {
  return state.step === 'running' ? { ...state, problem } : { step: 'asking', problem };
}

/** The agent's request for an order. */
export function requestOf(order: BulkOrder, dryRun: boolean) {
  const { kind, filter, limit, signal } = order;
  return {
    action: kind === 'retry' ? ('retry' as const) : ('revoke' as const),
    filter,
    limit,
    dryRun,
    ...(kind === 'terminate' && { terminate: true, signal }),
  };
}

/** How much of it is done, 0 to 100. */
export function percentDone({ matched, done, failed: refused }: Bulk): number {
  return matched === 0 ? 100 : Math.round(((done + refused) / matched) * 100);
}
