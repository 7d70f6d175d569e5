import type { AuditEntry } from '../../core/identity/audit.ts';
import type { Principal } from '../../core/identity/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { clientKey, RateWindow } from '../../lib/rate-window.ts';

const MAX_TEXT = 500;

export interface RefusedRequest {
  readonly principal: Principal;
  readonly address: string;
  /** `login` for a failed one, else what the route does, e.g. `task.revoke`, or `request`. */
  readonly action: string;
  readonly method: string;
  /** Without the query, which may hold values of users. */
  readonly path: string;
  readonly needs: string;
  readonly detail: string;
}

/** Hands refusals on for the audit, at most 10 a minute of one address and 100 of all, so that none can fill its table. */
export function refusedLog(clock: Clock, onRefused: ((entry: AuditEntry) => void) | undefined) {
  const window = new RateWindow({ perKey: 10, overall: 100, windowMs: 60_000, maxKeys: 5000 });
  let suppressed = 0;
  return (refused: RefusedRequest): void => {
    if (onRefused === undefined) return;
    const atMs = clock.now();
    if (window.take(clientKey(refused.address), atMs) > 0) {
      suppressed += 1;
      return;
    }
    const { principal, address, action, detail } = refused;
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
    suppressed = 0;
  };
}
