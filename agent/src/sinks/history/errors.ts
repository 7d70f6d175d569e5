/**
 * Postgres cannot take anything now (gone, full, overloaded, not writable): what was to be written is still the
 * caller's, to be written again later.
 */
export class HistoryDown extends Error {
  /** SQLSTATE or the system's error code, e.g. `57P01`, `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(cause: unknown) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1);
    super(`history cannot be written: ${reason}`, { cause });
    this.name = 'HistoryDown';
    this.code = errorCode(cause);
  }
}

export function asDown(error: unknown): HistoryDown {
  return error instanceof HistoryDown ? error : new HistoryDown(error);
}

/** The server is too old, or its database cannot be used; the message says what to do. */
export class UnsupportedPostgres extends Error {}

/** SQLSTATE of Postgres, or the code of a system error; undefined for others. */
export function errorCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Whether the data itself was refused, so that writing the same again cannot help: data exceptions (22), broken
 * constraints (23), one key twice in a statement (21), limits such as the longest index entry (54), and mistakes of our own
 * code on a value.
 * Everything else is taken for a state of the server that passes: keeping the data is then the safe side.
 */
export function isDataError(error: unknown): boolean {
  const code = errorCode(error);
  if (code !== undefined) return /^(21|22|23|54)[0-9A-Z]{3}$/.test(code);
  return error instanceof TypeError || error instanceof RangeError;
}

/** SQLSTATE in_failed_sql_transaction: what Postgres says of every statement behind the one that failed. */
const FAILED_BEFORE = '25P02';

/**
 * `Promise.all` of statements that one transaction was sent in one go: waits for all of them, and rejects with the error of
 * the one that failed. Which of the rejections is heard first is a matter of chance.
 */
export async function allSent<T extends readonly unknown[] | []>(
  sent: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(sent);
  const faults = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (faults.length > 0) throw faults.find((fault) => errorCode(fault) !== FAILED_BEFORE) ?? faults[0];
  return Promise.all(sent);
}

/** SQLSTATE unique_violation: some of the events are already stored. */
export const UNIQUE_VIOLATION = '23505';
/** lock_not_available: another writer has sent the same rows ahead of its turn. */
export const LOCK_TIMEOUT = '55P03';
/** Deadlock or serialisation failure: the same transaction may work at once. */
export function isTransient(error: unknown): boolean {
  const code = errorCode(error);
  return code === '40P01' || code === '40001';
}
