import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import * as prometheusSdk from '@grafana/grafana-foundation-sdk/prometheus';
import type { CeleryQuery } from '../../src/datasource/query';
import { DASHBOARD_VARIABLES, DATASOURCE_ID } from '../../src/shared/ids';

export const CELERY: DataSourceRef = { type: DATASOURCE_ID, uid: `\${${DASHBOARD_VARIABLES.datasource}}` };
export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: `\${${DASHBOARD_VARIABLES.prometheus}}` };

export type Target = cog.Builder<cog.Dataquery>;
type WithoutRef<Query> = Query extends CeleryQuery ? Omit<Query, 'refId' | 'datasource' | 'version'> : never;
/** A saved query of our data source, without what every target has. */
export type Query = WithoutRef<CeleryQuery>;

/** @param refId names the series of the target in transformations and overrides */
export function celery(query: Query, refId = 'A'): Target {
  const target = { refId, datasource: CELERY, version: 1, ...query };
  return { build: () => target as unknown as cog.Dataquery };
}

interface Prom {
  readonly legend?: string;
  readonly refId?: string;
  /** One value at the end of the range instead of a series */
  readonly instant?: boolean;
  readonly heatmap?: boolean;
  readonly exemplar?: boolean;
}

export function prometheus(expr: string, { legend, refId = 'A', instant, heatmap, exemplar }: Prom = {}): Target {
  const query = new prometheusSdk.DataqueryBuilder().datasource(PROMETHEUS).refId(refId).expr(expr);
  if (legend !== undefined) {
    query.legendFormat(legend);
  }
  if (heatmap) {
    query.format(prometheusSdk.PromQueryFormat.Heatmap);
  }
  if (exemplar) {
    query.exemplar(true);
  }
  return instant ? query.instant() : query.range();
}
