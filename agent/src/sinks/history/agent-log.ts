import type pg from 'pg';

export interface Gap {
  readonly agent: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly cause: string;
}

/** How the agent of a name was last heard of. */
export interface LastRun {
  /** Epoch ms until which everything that it heard was stored. */
  readonly aliveMs: number;
  /** It said that it stops; false: it was killed, or could not reach the database. */
  readonly wasStopped: boolean;
}

/** When agents listened, and when they did not: `umbel_agents` and `umbel_gaps`. Methods reject as pg does. */
export class AgentLog {
  readonly #pool: pg.Pool;
  readonly #slice: string;

  /** `slice`: of the stream, that its agents listen to, e.g. `1/3`. */
  constructor(pool: pg.Pool, slice = '1/1') {
    this.#pool = pool;
    this.#slice = slice;
  }

  /** Stores the gap, once however often it is told. */
  async recordGap(gap: Gap): Promise<void> {
    await this.#pool.query(
      `insert into umbel_gaps (agent, from_at, to_at, cause)
       select $1::text, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000), $4::text
       where not exists (
         select from umbel_gaps where agent = $1::text and from_at = to_timestamp($2::float8 / 1000) and cause = $4::text
       )`,
      [gap.agent, gap.fromMs, gap.toMs, gap.cause.replaceAll('\0', ' ').slice(0, 1000)],
    );
  }

  /** The agent listens, and has stored what it heard up to `aliveMs`. */
  async beat(agent: string, aliveMs: number): Promise<void> {
    await this.#pool.query(
      `insert into umbel_agents as kept (agent, started_at, alive_at, slice)
       values ($1, to_timestamp($2::float8 / 1000), to_timestamp($2::float8 / 1000), $3)
       on conflict (agent) do update set alive_at = greatest(kept.alive_at, excluded.alive_at), stopped_at = null,
         slice = excluded.slice`,
      [agent, aliveMs, this.#slice],
    );
  }

  /** The agent ends in good order; the last it heard was at `atMs`. */
  async stop(agent: string, atMs: number): Promise<void> {
    await this.beat(agent, atMs);
    await this.#pool.query('update umbel_agents set stopped_at = alive_at where agent = $1', [agent]);
  }

  /** Undefined: no agent of this name ever listened. */
  async lastRun(agent: string): Promise<LastRun | undefined> {
    const { rows } = await this.#pool.query<{ ms: number; stopped: boolean }>(
      `select extract(epoch from alive_at)::float8 * 1000 as ms, stopped_at is not null as stopped
       from umbel_agents where agent = $1`,
      [agent],
    );
    const [row] = rows;
    return row === undefined ? undefined : { aliveMs: Math.round(row.ms), wasStopped: row.stopped };
  }
}
