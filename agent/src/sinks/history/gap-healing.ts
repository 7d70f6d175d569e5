import type pg from 'pg';
import type { UnhealedGap } from '../../core/heal/store.ts';
import { RUNNING_MS } from './agent-log.ts';

/** A gap that lasts longer while another agent listens is that of one that never came back. */
const ABANDONED_MS = 3_600_000;

/** Settles gaps: those that another agent covered, and those that were healed. Methods reject as pg does. */
export class GapHealing {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * Notes which gaps another agent covered: one that listened before, has listened since, and has no gap of its own that
   * touches it. Resolves with the ended gaps that are left to heal; those of which a running agent has yet to say whether
   * it listened come later: what that says of the end is waited for.
   */
  async take(nowMs: number): Promise<readonly UnhealedGap[]> {
    await this.#endAbandoned(nowMs);
    await this.#pool.query(
      `update umbel_gaps g set covered_by = (
         select a.agent from umbel_agents a
         where a.agent <> g.agent and a.slice = (select own.slice from umbel_agents own where own.agent = g.agent)
           and a.started_at <= g.from_at and a.alive_at >= g.to_at
           and not exists (
             select from umbel_gaps o
             where o.agent = a.agent and o.from_at <= g.to_at and (o.to_at is null or o.to_at >= g.from_at)
           )
         order by a.agent limit 1
       )
       where g.healed is null and g.covered_by is null and g.to_at is not null`,
    );
    const { rows } = await this.#pool.query<{ id: string; from_ms: number; to_ms: number }>(
      `select g.id, extract(epoch from g.from_at)::float8 * 1000 as from_ms,
         extract(epoch from g.to_at)::float8 * 1000 as to_ms
       from umbel_gaps g
       where g.healed is null and g.covered_by is null and g.to_at is not null
         and not (g.to_at > to_timestamp($1::float8 / 1000) and exists (
           select from umbel_agents a
           where a.agent <> g.agent and a.alive_at < g.to_at and a.alive_at > to_timestamp($1::float8 / 1000)
         ))
       order by g.id`,
      [nowMs - RUNNING_MS],
    );
    return rows.map(({ id, from_ms, to_ms }) => ({ id: Number(id), fromMs: from_ms, toMs: to_ms }));
  }

  /** A gap of an agent that did not come back ends where another one of its slice began to listen. */
  async #endAbandoned(nowMs: number): Promise<void> {
    await this.#pool.query(
      `update umbel_gaps g set to_at = greatest(g.from_at, heir.started_at)
       from umbel_agents own, lateral (
         select min(a.started_at) as started_at from umbel_agents a
         where a.agent <> own.agent and a.slice = own.slice and a.alive_at > to_timestamp($1::float8 / 1000)
       ) heir
       where g.to_at is null and g.from_at < to_timestamp($2::float8 / 1000) and own.agent = g.agent
         and heir.started_at < 'infinity'`,
      [nowMs - RUNNING_MS, nowMs - ABANDONED_MS],
    );
  }

  /** What was put right after it, by number of tasks. */
  async close(id: number, healed: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#pool.query('update umbel_gaps set healed = $2::jsonb where id = $1', [id, JSON.stringify(healed)]);
  }
}
