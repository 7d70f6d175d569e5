import { PlainProblem } from '../plain-problem.ts';
import { errorCode, type Attempt } from './problems.ts';
import type { ServerFacts } from './session.ts';

/** A subscribed connection that ended. */
export interface Loss {
  /** What was published before was read, epoch ms. */
  readonly fromMs: number;
  readonly cause: string;
  /** Absent where Redis closed it in good order. */
  readonly error: Error | undefined;
  readonly attempt: Attempt;
  readonly facts: ServerFacts;
}

export function describeLoss(error: Error | undefined): string {
  if (error === undefined) return 'redis closed the connection';
  return `connection lost: ${error instanceof PlainProblem ? error.message : errorCode(error) || error.message}`;
}

/** Why a connection was lost, once another stands: to the server at `where`. */
export function explainLoss(loss: Loss, after: ServerFacts, where: string): string {
  const killed = describeKill(loss, after);
  if (killed !== undefined) return killed;
  const { cause } = loss;
  if (where !== loss.attempt.where) return `fail-over from ${loss.attempt.where} to ${where}: ${cause}`;
  const isAnother = loss.facts.runId !== undefined && after.runId !== undefined && loss.facts.runId !== after.runId;
  return isAnother ? `redis was restarted: ${cause}` : cause;
}

/** Whether Redis cut the connection off, told from what it says of itself before and after; undefined if it did not. */
function describeKill({ facts: before, error, attempt }: Loss, after: ServerFacts): string | undefined {
  if (before.runId === undefined || before.runId !== after.runId) return undefined;
  if (after.outputLimitKills !== undefined && after.outputLimitKills !== before.outputLimitKills) {
    return 'redis closed the connection: output buffer limit for pubsub';
  }
  if (after.clientKills !== undefined && after.clientKills !== (before.clientKills ?? 0)) {
    return 'redis closed the connection: CLIENT KILL';
  }
  // Redis before 7.2 does not count its limit. It closes a subscriber in good order for little else.
  if (after.outputLimitKills !== undefined || error !== undefined) return undefined;
  const fault = attempt.encrypted ? ', or Redis 7.0 stumbled over TLS ("bad length" in its log)' : '';
  return `redis closed the connection: probably its output buffer limit for pubsub${fault}`;
}
