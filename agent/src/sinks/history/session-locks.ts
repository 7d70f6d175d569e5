import pg from 'pg';

/** First half of the keys of this agent's session locks; the second is a hash of the schema and the lock's name. */
const LOCK_CLASS = 5_549_012;
/**
 * The server ends a session that is silent for so long: an agent that is frozen, or cut off, loses its locks. Longer
 * than `ANSWER_MS` and any pause between two checks, so that the holder knows before the next one has the lock.
 */
const SILENCE_MS = 10_000;
const ANSWER_MS = 5000;

/** Postgres is there, but does not keep locks for this session. */
export class LocksNotHeld extends Error {}

/**
 * Session advisory locks of Postgres on a connection of their own: held until released, or until the connection ends
 * in whatever way. The names are those of one schema: two histories in one database do not share them.
 */
export class SessionLocks {
  readonly #client: pg.Client;
  readonly #held = new Set<string>();
  #namesByKey: ReadonlyMap<string, string> | undefined;
  #isOver = false;

  private constructor(client: pg.Client) {
    this.#client = client;
    client.on('error', () => this.#end());
    client.on('end', () => this.#end());
  }

  /** @throws pg's error while Postgres cannot be reached */
  static async open(databaseUrl: string): Promise<SessionLocks> {
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'umbel-agent locks',
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    });
    const locks = new SessionLocks(client);
    try {
      await client.connect();
      // The keep-alives find a peer that is gone without a word; over a Unix socket they do nothing.
      await client.query(
        `set idle_session_timeout = ${SILENCE_MS};
         set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3`,
      );
      return locks;
    } catch (error) {
      await locks.close();
      throw error;
    }
  }

  /** The connection is gone, and every lock with it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  holds(name: string): boolean {
    return !this.#isOver && this.#held.has(name);
  }

  /** Takes the lock if nobody else has it; resolves with whether it is held. Rejects as pg does, and is over then. */
  async take(name: string): Promise<boolean> {
    if (this.holds(name)) return true;
    const [row] = await this.#ask<{ taken: boolean }>(
      `select pg_try_advisory_lock(${LOCK_CLASS}, hashtext(current_schema() || ' ' || $1)) as taken`,
      [name],
    );
    if (row?.taken === true) this.#held.add(name);
    return this.holds(name);
  }

  /** Lets others take it. Rejects as pg does, and is over then. */
  async release(name: string): Promise<void> {
    if (!this.#held.delete(name) || this.#isOver) return;
    await this.#ask(`select pg_advisory_unlock(${LOCK_CLASS}, hashtext(current_schema() || ' ' || $1))`, [name]);
  }

  /**
   * Resolves when the server has the locks of this session as they are held here. Rejects, and is over, when it does not
   * answer, and when it has other ones: a pooler that gives every transaction another session cannot hold a lock.
   */
  async confirm(): Promise<void> {
    const [row] = await this.#ask<{ held: number }>(
      `select count(*)::int as held from pg_locks
       where locktype = 'advisory' and classid = ${LOCK_CLASS} and pid = pg_backend_pid() and granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    if (row?.held === this.#held.size) return;
    await this.close();
    throw new LocksNotHeld(
      'the lock of the leader is not held by the session that took it: --database-url leads to a pooler in transaction mode; give a URL of Postgres itself, or of a pooler in session mode',
    );
  }

  /** Those of the locks, always the same ones, that a session of any agent holds. Rejects as pg does, and is over then. */
  async heldByAnybody(names: readonly string[]): Promise<ReadonlySet<string>> {
    this.#namesByKey ??= await this.#keysOf(names);
    const rows = await this.#ask<{ key: string }>(
      `select distinct objid::text as key from pg_locks
       where locktype = 'advisory' and classid = ${LOCK_CLASS} and granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    return new Set(rows.flatMap(({ key }) => this.#namesByKey?.get(key) ?? []));
  }

  /** Only Postgres knows its hash, and it does not change: it is asked once for all of them. */
  async #keysOf(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#ask<{ key: string; name: string }>(
      `select (hashtext(current_schema() || ' ' || name)::bigint & 4294967295)::text as key, name
       from unnest($1::text[]) as asked (name)`,
      [names],
    );
    return new Map(rows.map(({ key, name }) => [key, name]));
  }

  /** Ends the connection. Never rejects. */
  async close(): Promise<void> {
    this.#end();
    await this.#client.end().catch(() => undefined);
  }

  #end(): void {
    this.#isOver = true;
    this.#held.clear();
  }

  async #ask<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#client.query<Row>(text, values)).rows;
    } catch (error) {
      await this.close();
      throw error;
    }
  }
}
