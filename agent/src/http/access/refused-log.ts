import type { AuditEntry } from '../../core/identity/audit.ts';
import type { Principal } from '../../core/identity/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { clientKey, RateWindow, type RateLimits } from '../../lib/rate-window.ts';
import { isSafe } from './routes.ts';

const MAX_TEXT = 500;

const WINDOW = { windowMs: 60_000, maxKeys: 5000 };
/** Anybody can make these. */
const STRANGERS: RateLimits = { ...WINDOW, perKey: 10, overall: 100 };
/** A dashboard that somebody may not see asks again and again. */
const READS: RateLimits = { ...WINDOW, perKey: 10, overall: 200 };
/** What somebody known tried to do is what an audit is for: only a program gone wild reaches this. */
const WRITES: RateLimits = { ...WINDOW, perKey: 300, overall: 3000 };

export interface RefusedRequest {
  readonly principal: Principal;
  readonly address: string;
  /** `login` for a failed one, else what the route does, e.g. `task.revoke`, or `request`. */
  readonly action: string;
  readonly method: string;
  /** What was asked for, the worker or task in it; without the query, which may hold values of users. */
  readonly path: string;
  readonly needs: string;
  readonly detail: string;
}

interface Kind {
  readonly window: RateWindow;
  suppressed: number;
}

/**
 * Hands refusals on for the audit, so many a minute that none can fill its table, nor push another's out of it: of
 * strangers 10 of one address and 100 of all; of a known user or token, together with the Grafana user behind it, 10
 * reads (200 of all) and 300 writes (3000 of all), wherever they come from.
 */
export function refusedLog(clock: Clock, onRefused: ((entry: AuditEntry) => void) | undefined) {
  const kindOf = (limits: RateLimits): Kind => ({ window: new RateWindow(limits), suppressed: 0 });
  const kinds = { strangers: kindOf(STRANGERS), reads: kindOf(READS), writes: kindOf(WRITES) };
  return (refused: RefusedRequest): void => {
    if (onRefused === undefined) return;
    const { principal, address, action, detail } = refused;
    const isKnown = principal.verified && principal.via !== 'anonymous';
    const kind = isKnown ? kinds[isSafe(refused.method) ? 'reads' : 'writes'] : kinds.strangers;
    const atMs = clock.now();
    if (kind.window.take(isKnown ? ownerKey(principal) : clientKey(address), atMs) > 0) {
      kind.suppressed += 1;
      return;
    }
    const { suppressed } = kind;
    kind.suppressed = 0;
    onRefused({
      atMs,
      principal: { ...principal, name: principal.name.slice(0, MAX_TEXT) },
      address,
      action,
      target: `${refused.method} ${refused.path}`.slice(0, MAX_TEXT),
      arguments: { needs: refused.needs, ...(suppressed === 0 ? {} : { moreSinceTheLastEntry: suppressed }) },
      outcome: 'refused',
      detail,
    });
  };
}

/** A user and a token may have the same name. */
function ownerKey({ name, via, grafanaUser }: Principal): string {
  return JSON.stringify([via, name, grafanaUser?.login]);
}
