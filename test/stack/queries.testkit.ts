import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/paths.ts';

export interface DashboardQuery {
  readonly dashboard: string;
  readonly expr: string;
}

/** Every PromQL query of every dashboard, its variables filled in: `$__rate_interval`, `$task` (everything) and so on. */
export function dashboardQueries(range: string): readonly DashboardQuery[] {
  const directory = join(ROOT, 'dashboards');
  if (!existsSync(directory)) return [];
  const found = new Map<string, DashboardQuery>();
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.json'))) {
    for (const raw of expressions(JSON.parse(readFileSync(join(directory, name), 'utf8')))) {
      const expr = raw
        .replaceAll(/\$\{?__(rate_interval|interval|range)\}?/g, range)
        .replaceAll(/\$(\w+|\{\w+(:\w+)?\})/g, '.*');
      found.set(`${name} ${expr}`, { dashboard: name, expr });
    }
  }
  return [...found.values()];
}

function expressions(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressions);
  if (typeof value !== 'object' || value === null) return [];
  const own = 'expr' in value && typeof value.expr === 'string' && value.expr !== '' ? [value.expr] : [];
  return [...own, ...Object.values(value).flatMap(expressions)];
}
