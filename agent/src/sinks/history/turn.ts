import type pg from 'pg';
import { LONGEST_STATEMENT_MS } from './database.ts';
import { allSent } from './errors.ts';

/** Advisory lock under which writers take turns. */
const WRITE_LOCK = 5_549_012_003;
/**
 * A row that another writer has sent ahead is waited for no longer than this. Two writers of one stream can wait for
 * each other in a circle that Postgres does not see: one link of it is the order of writes within a process.
 */
const GIVE_UP_ROWS = 'set local lock_timeout = 1000';

/** A transaction of the writer: what needs no order is done before `take()`, what does after it. */
export class Turn {
  readonly client: pg.PoolClient;
  readonly #onEnd: () => void;
  #isAbandoned = false;
  /** Settles with what was begun by `prepare`. */
  prepared: Promise<void> = Promise.resolve();

  constructor(client: pg.PoolClient, onEnd: () => void) {
    this.client = client;
    this.#onEnd = onEnd;
  }

  /** `onEnd` is called when its connection is given back. Rejects when Postgres cannot be reached. */
  static async begin(pool: pg.Pool, onEnd: () => void): Promise<Turn> {
    const client = await pool.connect();
    try {
      // Waiting for other writers may take longer than the pool allows a reader.
      await client.query(
        `begin isolation level read committed; set local statement_timeout = ${LONGEST_STATEMENT_MS}; ${GIVE_UP_ROWS}`,
      );
      return new Turn(client, onEnd);
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** It holds nothing any more. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Goes on in the background; its failure is told by `prepared`. */
  prepare(work: Promise<void>): void {
    work.catch(() => undefined);
    this.prepared = work;
  }

  /** Waits for the lock and resolves to the number of this step, taken when every writer before it has committed. */
  async take(): Promise<number> {
    const results = (await this.client.query(
      `set local lock_timeout = 0; select pg_advisory_xact_lock(${WRITE_LOCK}); ${GIVE_UP_ROWS};
       select nextval('umbel_write_ticks') as tick`,
    )) as unknown as pg.QueryResult<{ tick: string }>[];
    return Number(results.at(-1)?.rows[0]?.tick);
  }

  /**
   * Commits and lets the next writer have its turn, before the commit is on disk: `flush` waits for that. Half of a
   * write's time was this wait, in which neither side worked. `sent` is what goes before it, without a wait.
   */
  async commit(sent: Promise<unknown> = Promise.resolve()): Promise<void> {
    await allSent([sent, this.client.query('set local synchronous_commit = off; commit')]);
  }

  /**
   * Resolves when what was committed is on disk, and gives the connection back. Rejects when the connection broke, or
   * Postgres did: then a commit may be lost.
   */
  async flush(): Promise<void> {
    try {
      // A record of the log whose own commit waits for the disk, as the server's or the user's settings say.
      await this.client.query(`select pg_logical_emit_message(true, 'umbel', '')`);
      this.#release(false);
    } catch (error) {
      this.#release(true);
      throw error;
    }
  }

  /** Undoes everything. Never rejects. */
  async abandon(): Promise<void> {
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    await this.prepared.catch(() => undefined);
    const undone = await this.client.query('rollback').then(
      () => true,
      () => false,
    );
    this.#release(!undone);
  }

  #release(isBroken: boolean): void {
    this.client.release(isBroken);
    this.#onEnd();
  }
}
