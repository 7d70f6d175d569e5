import type { Principal } from './principal.ts';

/** One line of `umbel_audit`. */
export interface AuditEntry {
  /** Epoch ms. */
  readonly atMs: number;
  readonly principal: Principal;
  /** Address of the client. */
  readonly address: string;
  /** e.g. `task.revoke`, `worker.pool_grow`, `login`. */
  readonly action: string;
  /** Worker names, task ids, a task name, or a route that was refused. */
  readonly target: string;
  /** Secrets masked. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly outcome: 'ok' | 'failed' | 'refused';
  /** The worker's answer, or the reason. */
  readonly detail: string | null;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: number;
}

export interface AuditFilter {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly user?: string;
  readonly actions?: readonly string[];
  readonly outcomes?: readonly AuditEntry['outcome'][];
  readonly target?: string;
}

export interface AuditTrail {
  /** Never rejects: an entry that cannot be stored now is kept, logged and stored later. */
  record(entry: AuditEntry): Promise<void>;
  /** Newest first; the cursor is the id of the last row of the page before. @throws HistoryUnavailable */
  read(filter: AuditFilter, limit: number, beforeId?: number): Promise<readonly StoredAuditEntry[]>;
}
