import {
  type AdHocVariableFilter,
  CoreApp,
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceInstanceSettings,
  type ScopedVars,
  type TestDataSourceResponse,
} from '@grafana/data';
import { getDataSourceSrv, getTemplateSrv } from '@grafana/runtime';
import { merge, type Observable, of, Subject, switchMap, timer } from 'rxjs';
import type { LinkTargets, NamedSource } from '../shared/links';
import { AgentClient } from './client';
import { LiveStream } from './live/stream';
import { holdsTemplate, interpolateQuery } from './interpolate';
import { type ForeignQuery, migrateQuery } from './migrate';
import type { CeleryOptions } from './options';
import { kindOf } from './queries';
import type { QueryContext } from './queries/kind';
import type { CeleryQuery } from './query';
import { isLasting, runTargets } from './run';

/** After an action: what the agent knows at once, and what workers report of it a little later. */
const REFRESH_AFTER_MS = [250, 2000];
const USUAL_POINTS = 1000;

/** The agent as a Grafana data source. Panels reach `client` through `getDataSourceSrv().get(ref)` for their actions. */
export class CeleryDataSource extends DataSourceApi<CeleryQuery, CeleryOptions> {
  readonly client: AgentClient;
  readonly options: CeleryOptions;
  /** The one live stream of this instance in this tab. */
  readonly live: LiveStream;
  private readonly changes = new Subject<void>();
  private readonly refreshes = this.changes.pipe(switchMap(() => merge(...REFRESH_AFTER_MS.map((ms) => timer(ms)))));

  constructor(settings: DataSourceInstanceSettings<CeleryOptions>) {
    super(settings);
    this.client = new AgentClient(settings.url ?? '');
    this.options = settings.jsonData;
    this.live = new LiveStream({ connect: () => this.client.stream(), probe: () => this.client.status() });
  }

  query(request: DataQueryRequest<CeleryQuery>): Observable<DataQueryResponse> {
    const queries = request.targets
      .filter(({ hide }) => hide !== true)
      .map((query) => this.interpolated(query, request.scopedVars))
      .filter((query) => this.filterQuery(query));
    if (queries.length === 0) {
      return of({ data: [] });
    }
    const targets = queries.map((query) => ({ query, context: this.contextOf(query, request) }));
    return runTargets(targets, isLasting(request) ? this.refreshes : undefined);
  }

  /** Has every open query ask again, after an action: the panels need no refresh of the dashboard. */
  refresh(): void {
    this.changes.next();
  }

  getDefaultQuery(app: CoreApp): Partial<CeleryQuery> {
    return app === CoreApp.Explore ? { kind: 'events' } : { kind: 'tasks' };
  }

  filterQuery(query: CeleryQuery): boolean {
    const migrated = migrateQuery(query);
    return kindOf(migrated)?.isComplete?.(migrated as never) ?? true;
  }

  getQueryDisplayText(query: CeleryQuery): string {
    const migrated = migrateQuery(query);
    return kindOf(migrated).text(migrated as never);
  }

  interpolateVariablesInQueries(
    queries: CeleryQuery[],
    scopedVars: ScopedVars,
    _filters?: AdHocVariableFilter[],
  ): CeleryQuery[] {
    return queries.map((query) => ({ ...this.interpolated(query, scopedVars), datasource: this.getRef() }));
  }

  targetContainsTemplate(query: CeleryQuery): boolean {
    return holdsTemplate(migrateQuery(query), (text) => getTemplateSrv().containsTemplate(text));
  }

  async testDatasource(): Promise<TestDataSourceResponse> {
    return { status: 'success', message: 'OK' };
  }

  private interpolated(query: CeleryQuery | ForeignQuery, scopedVars: ScopedVars): CeleryQuery {
    return interpolateQuery(migrateQuery(query), getTemplateSrv(), scopedVars);
  }

  private contextOf(query: CeleryQuery, request: DataQueryRequest<CeleryQuery>): QueryContext {
    const { range, requestId, intervalMs, maxDataPoints, filters } = request;
    return {
      client: this.client,
      live: this.live,
      lasting: isLasting(request),
      refId: query.refId,
      requestId: `${requestId}-${this.uid}-${query.refId}`,
      links: this.links(),
      fromMs: range.from.valueOf(),
      toMs: range.to.valueOf(),
      open: range.raw.to === 'now',
      nowMs: Date.now(),
      intervalMs,
      maxDataPoints: maxDataPoints ?? USUAL_POINTS,
      adHocFilters: filters ?? [],
    };
  }

  /** The data sources of the settings, as far as they are there. */
  private links(): LinkTargets {
    const { prometheusUid, lokiUid, tempoUid } = this.options;
    return { uid: this.uid, prometheus: sourceOf(prometheusUid), loki: sourceOf(lokiUid), tempo: sourceOf(tempoUid) };
  }
}

function sourceOf(uid: string | undefined): NamedSource | undefined {
  const settings = uid === undefined || uid === '' ? undefined : getDataSourceSrv().getInstanceSettings(uid);
  return settings === undefined ? undefined : { uid: settings.uid, name: settings.name };
}
