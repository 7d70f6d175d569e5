import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { AuditEntry, AuditTrail } from '../../core/identity/audit.ts';
import { HistoryUnavailable } from '../../core/query/reader.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { type AuditRow, insertSql, selectSql, toStored, type WaitingEntry } from './audit-sql.ts';
import { isDataError } from './errors.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Who acts waits at most so long for the entry to be stored; it is stored later then. */
const PATIENCE_MS = 1000;
const RETRY_MS = 2000;
/** Entries removed at once: a transaction that holds nobody up. */
const CHUNK = 5000;

export interface AuditOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Entries older than this are removed, once an hour; default 365, 0 keeps them for ever. */
  readonly retentionDays?: number;
  /** Entries that wait for the database at most; default 10,000. Beyond, the oldest stays in the log alone. */
  readonly maxWaiting?: number;
  /** Whether this agent is the one to remove old entries; default: it is. */
  readonly leads?: () => boolean;
}

export interface OpenAuditTrail extends AuditTrail {
  /** Entries not stored yet. */
  waiting(): number;
  /** Removes what is older than the retention; resolves to how many entries that were. @throws as pg does */
  removeOld(): Promise<number>;
  /** Tries once more to store what waits, and stops. The pool stays open. */
  close(): Promise<void>;
}

/**
 * The audit in `umbel_audit`. Works from the first moment, whether the database is there or not: what cannot be stored
 * is written to the log, waits in memory and is stored in order later.
 */
export function openAuditTrail(options: AuditOptions): OpenAuditTrail {
  return new PostgresAudit(options);
}

class PostgresAudit implements OpenAuditTrail {
  readonly #options: Required<AuditOptions>;
  readonly #waiting: WaitingEntry[] = [];
  readonly #stopTimers: (() => void)[];
  #storing: Promise<void> | undefined;
  #isAway = false;

  constructor(options: AuditOptions) {
    this.#options = { retentionDays: 365, maxWaiting: 10_000, leads: () => true, ...options };
    const { clock } = options;
    this.#stopTimers = [
      clock.every(RETRY_MS, () => void (this.#waiting.length > 0 && this.#store())),
      clock.every(HOUR_MS, () => void this.#retention()),
    ];
  }

  async record(entry: AuditEntry): Promise<void> {
    this.#makeRoom();
    this.#waiting.push({ entryId: randomUUID(), entry });
    if (this.#isAway) this.#tell(entry);
    const stored = this.#store();
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.#options.clock.after(PATIENCE_MS, resolve)));
    await Promise.race([stored, late]);
    cancel();
  }

  async read(...[filter, limit, beforeId]: Parameters<AuditTrail['read']>): ReturnType<AuditTrail['read']> {
    try {
      const { text, values } = selectSql(filter, limit, beforeId);
      const { rows } = await this.#options.pool.query<AuditRow>(text, values);
      return rows.map(toStored);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the audit cannot be read');
      throw new HistoryUnavailable('the audit cannot be read now', { cause: error });
    }
  }

  waiting(): number {
    return this.#waiting.length;
  }

  async removeOld(): Promise<number> {
    const { retentionDays, clock, pool } = this.#options;
    if (retentionDays <= 0) return 0;
    const beforeMs = clock.now() - retentionDays * DAY_MS;
    let removed = 0;
    for (;;) {
      const { rowCount } = await pool.query(
        `delete from umbel_audit where id in (
           select id from umbel_audit where at < to_timestamp($1::float8 / 1000) limit ${CHUNK})`,
        [beforeMs],
      );
      removed += rowCount ?? 0;
      if ((rowCount ?? 0) < CHUNK) return removed;
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stopTimers) stop();
    await this.#storing;
    await this.#store();
    for (const { entry } of this.#waiting) this.#options.logger.error({ audit: entry }, 'audit entry was never stored');
  }

  /** One loop at a time stores what waits, the oldest first; never rejects. */
  #store(): Promise<void> {
    this.#storing ??= this.#storeAll().finally(() => (this.#storing = undefined));
    return this.#storing;
  }

  async #storeAll(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { text, values } = insertSql(next);
      try {
        await this.#options.pool.query(text, values);
      } catch (error) {
        if (!isDataError(error)) {
          this.#away(error);
          return;
        }
        this.#options.logger.error({ err: error, audit: next.entry }, 'the database refused an audit entry');
      }
      this.#isAway = false;
      // Another entry may have pushed it out meanwhile.
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
  }

  #away(error: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#options.logger.warn({ err: error }, 'audit entries wait for the database');
    for (const { entry } of this.#waiting) this.#tell(entry);
  }

  #tell(entry: AuditEntry): void {
    this.#options.logger.warn({ audit: entry }, 'audit entry waits for the database');
  }

  #makeRoom(): void {
    if (this.#waiting.length < this.#options.maxWaiting) return;
    const dropped = this.#waiting.shift();
    this.#options.logger.error({ audit: dropped?.entry }, 'too many audit entries wait: this one is only in the log');
  }

  async #retention(): Promise<void> {
    if (!this.#options.leads()) return;
    try {
      const removed = await this.removeOld();
      if (removed > 0) this.#options.logger.info({ removed }, 'old audit entries removed');
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'audit retention did not run; it is tried again in an hour');
    }
  }
}
