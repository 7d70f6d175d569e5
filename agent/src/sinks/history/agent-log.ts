import type pg from 'pg';

export interface Gap {
  readonly agent: string;
  readonly fromMs: number;
  /** null while it lasts. */
  readonly toMs: number | null;
  readonly cause: string;
  /** What could be put right, and how much of it. */
  readonly healed?: Readonly<Record<string, unknown>>;
}

/** When agents listened, and when they did not: `umbel_agents` and `umbel_gaps`. Methods reject as pg does. */
export class AgentLog {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Stores the gap, once however often it is told; resolves with its id. */
  async recordGap(gap: Gap): Promise<number> {
    const { rows } = await this.#pool.query<{ id: string }>(
      `with told as (
         select id from umbel_gaps
         where agent = $1::text and from_at = to_timestamp($2::float8 / 1000) and cause = $4::text
       ), added as (
         insert into umbel_gaps (agent, from_at, to_at, cause, healed)
         select $1::text, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000), $4::text, $5::jsonb
         where not exists (select from told)
         returning id
       ), ended as (
         update umbel_gaps
         set to_at = coalesce(to_at, to_timestamp($3::float8 / 1000)), healed = coalesce($5::jsonb, healed)
         where id in (select id from told)
       )
       select id from told union all select id from added limit 1`,
      [gap.agent, gap.fromMs, gap.toMs, gap.cause.replaceAll('\0', ' ').slice(0, 1000), jsonOrNull(gap.healed)],
    );
    return Number(rows[0]?.id);
  }

  /** Ends the agent's open gaps; resolves with how many there were. */
  async closeOpenGap(agent: string, toMs: number, healed?: Gap['healed']): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `update umbel_gaps set to_at = to_timestamp($2::float8 / 1000), healed = coalesce($3::jsonb, healed)
       where agent = $1 and to_at is null`,
      [agent, toMs, jsonOrNull(healed)],
    );
    return rowCount ?? 0;
  }

  /** The agent listens. `startedMs` is the start of its process; default `nowMs` on the first beat. */
  async beat(agent: string, nowMs: number, startedMs?: number): Promise<void> {
    await this.#pool.query(
      `insert into umbel_agents as kept (agent, started_at, alive_at)
       values ($1, to_timestamp(coalesce($3::float8, $2::float8) / 1000), to_timestamp($2::float8 / 1000))
       on conflict (agent) do update set alive_at = greatest(kept.alive_at, excluded.alive_at),
         started_at = case when $3::float8 is null then kept.started_at else excluded.started_at end`,
      [agent, nowMs, startedMs ?? null],
    );
  }

  /** Epoch ms of the agent's last beat; null when it never beat. */
  async lastAlive(agent: string): Promise<number | null> {
    const { rows } = await this.#pool.query<{ ms: number }>(
      'select extract(epoch from alive_at)::float8 * 1000 as ms from umbel_agents where agent = $1',
      [agent],
    );
    return rows[0] === undefined ? null : Math.round(rows[0].ms);
  }
}

function jsonOrNull(value: Gap['healed']): string | null {
  return value === undefined ? null : JSON.stringify(value).replaceAll('\\u0000', '');
}
