import type pg from 'pg';

/** A statement as the reader sent it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A pool that tells every statement that looks for rows, once however often it is sent. */
export function recordingPool(pool: pg.Pool, onStatement: (statement: Statement) => void): pg.Pool {
  const seen = new Set<string>();
  const record = (given: unknown, values: unknown): void => {
    const { text, values: own } = typeof given === 'string' ? { text: given, values } : (given as pg.QueryConfig);
    const query = text.trim().replace(/^declare .*? cursor for /s, '');
    if (!/^(?:select|with|update|delete)\b/i.test(query) || seen.has(query)) return;
    seen.add(query);
    onStatement({ text: query, values: (own as unknown[] | undefined) ?? [] });
  };
  const connect = async (): Promise<pg.PoolClient> =>
    new Proxy(await pool.connect(), {
      get(client, key) {
        const member: unknown = Reflect.get(client, key);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (key === 'query') record(args[0], args[1]);
          return Reflect.apply(member, client, args) as unknown;
        };
      },
    });
  const query = (given: string, values?: unknown[]): Promise<pg.QueryResult> => {
    record(given, values);
    return pool.query(given, values);
  };
  return { connect, query } as unknown as pg.Pool;
}

/** A node of `explain (format json)`. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

const LARGE = /^(?:celery_(?:task_events|worker_events|tasks|task_rollups)_|umbel_audit)/;
/** A condition that all rows of the index pass. */
const NO_CONDITION = /^\(\w+ IS NOT NULL\)$/;
/** Nodes that take all of their input before they give the first row: a limit above them saves nothing below. */
const BLOCKING = /^(?:Sort|Aggregate|HashAggregate|Hash|WindowAgg|Materialize|Unique|SetOp)$/;

/** What the catalogue tells of the relations in a plan. */
export interface Catalogue {
  /** Indexes that hold few rows by their own predicate. */
  readonly partial: ReadonlySet<string>;
  /** Partitions without a row and their indexes: how they are read says nothing. */
  readonly empty: ReadonlySet<string>;
}

/** The scans of a plan that read a whole partition: without a condition on an index, and without a limit that ends them. */
export function wholeScans(node: PlanNode, catalogue: Catalogue, isLimited = false): string[] {
  const type = node['Node Type'];
  const index = node['Index Name'] ?? '';
  const relation = node['Relation Name'] ?? index; // a bitmap's scan of its index tells no table
  const below = type === 'Limit' || (isLimited && !BLOCKING.test(type));
  const found = (node.Plans ?? []).flatMap((child) => wholeScans(child, catalogue, below));
  if (!LARGE.test(relation) || catalogue.empty.has(relation)) return found;
  const isUnconditional = NO_CONDITION.test(node['Index Cond'] ?? '(all IS NOT NULL)');
  const isWhole =
    type === 'Seq Scan'
      ? !isLimited || node.Filter !== undefined
      : index !== '' && isUnconditional && !isLimited && !catalogue.partial.has(index);
  return isWhole ? [...found, `${type} on ${relation}`] : found;
}
