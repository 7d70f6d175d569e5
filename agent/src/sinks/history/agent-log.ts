import type pg from 'pg';

/** An agent that did not say that it stops and beat this recently is taken for running. */
export const RUNNING_MS = 30_000;

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

  /** The agent does not listen: a gap without an end, of which an agent has one at a time. */
  async openGap({ agent, fromMs, cause }: Omit<Gap, 'toMs'>): Promise<void> {
    await this.#pool.query(
      `insert into umbel_gaps (agent, from_at, cause)
       select $1::text, to_timestamp($2::float8 / 1000), $3::text
       where not exists (select from umbel_gaps where agent = $1::text and to_at is null)`,
      [agent, fromMs, storedCause(cause)],
    );
  }

  /** The agent listens again: the gap without an end is this one, if there is such a gap. */
  async endGap(gap: Gap): Promise<void> {
    const { rowCount } = await this.#pool.query(
      `update umbel_gaps set from_at = to_timestamp($2::float8 / 1000), to_at = to_timestamp($3::float8 / 1000), cause = $4
       where agent = $1 and to_at is null`,
      [gap.agent, gap.fromMs, gap.toMs, storedCause(gap.cause)],
    );
    if (rowCount === 0) await this.recordGap(gap);
  }

  /** Stores the gap, once however often it is told. */
  async recordGap(gap: Gap): Promise<void> {
    await this.#pool.query(
      `insert into umbel_gaps (agent, from_at, to_at, cause)
       select $1::text, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000), $4::text
       where not exists (
         select from umbel_gaps where agent = $1::text and from_at = to_timestamp($2::float8 / 1000) and cause = $4::text
       )`,
      [gap.agent, gap.fromMs, gap.toMs, storedCause(gap.cause)],
    );
  }

  /**
   * A run of the agent begins. Resolves with the last one under its name, or, where there was none, with the last of an
   * agent in whose place it comes: of the same slice, of which none runs. From here on a kill leaves a trace.
   */
  async begin(agent: string, nowMs: number): Promise<LastRun | undefined> {
    const { rows } = await this.#pool.query<{ ms: number; stopped: boolean }>(
      `select extract(epoch from alive_at)::float8 * 1000 as ms, stopped_at is not null as stopped
       from umbel_agents where agent = $1
       union all (
         select extract(epoch from alive_at)::float8 * 1000, stopped_at is not null from umbel_agents
         where slice = $2 and agent <> $1 and not exists (
           select from umbel_agents
           where slice = $2 and stopped_at is null and alive_at > to_timestamp($3::float8 / 1000)
         )
         order by alive_at desc limit 1
       )`,
      [agent, this.#slice, nowMs - RUNNING_MS],
    );
    const [row] = rows;
    const last = row === undefined ? undefined : { aliveMs: Math.round(row.ms), wasStopped: row.stopped };
    // Until its first beat nobody takes it for one that listens.
    await this.#pool.query(
      `insert into umbel_agents (agent, started_at, alive_at, slice)
       values ($1, 'infinity', to_timestamp($2::float8 / 1000), $3) on conflict (agent) do nothing`,
      [agent, last?.aliveMs ?? nowMs, this.#slice],
    );
    return last;
  }

  /**
   * The agent listens, and has stored what it heard up to `aliveMs`. Resolves with the instant of the beat before under
   * its name, undefined where there was none.
   */
  async beat(agent: string, aliveMs: number): Promise<number | undefined> {
    const { rows } = await this.#pool.query<{ before: number | null }>(
      `insert into umbel_agents as kept (agent, started_at, alive_at, slice)
       values ($1, to_timestamp($2::float8 / 1000), to_timestamp($2::float8 / 1000), $3)
       on conflict (agent) do update set started_at = least(kept.started_at, excluded.started_at),
         alive_at = greatest(kept.alive_at, excluded.alive_at), stopped_at = null, slice = excluded.slice
       returning (select extract(epoch from alive_at)::float8 * 1000 from umbel_agents where agent = $1) as before`,
      [agent, aliveMs, this.#slice],
    );
    return rows[0]?.before ?? undefined;
  }

  /** The agent ends in good order; the last it heard was at `atMs`, undefined: nothing in this run. */
  async stop(agent: string, atMs: number | undefined): Promise<void> {
    if (atMs !== undefined) await this.beat(agent, atMs);
    await this.#pool.query('update umbel_agents set stopped_at = alive_at where agent = $1', [agent]);
  }
}

function storedCause(cause: string): string {
  return cause.replaceAll('\0', ' ').slice(0, 1000);
}
