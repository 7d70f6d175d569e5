import {
  type AdHocVariableFilter,
  type AnnotationSupport,
  CoreApp,
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceGetTagKeysOptions,
  type DataSourceGetTagValuesOptions,
  type DataSourceInstanceSettings,
  type DataSourceWithLogsContextSupport,
  type LogRowContextOptions,
  type LogRowModel,
  type MetricFindValue,
  type ScopedVars,
  SupplementaryQueryType,
  type TestDataSourceResponse,
} from '@grafana/data';
import { getDataSourceSrv, getTemplateSrv } from '@grafana/runtime';
import { firstValueFrom, map, merge, type Observable, of, Subject, switchMap, timer } from 'rxjs';
import type { LinkTargets, NamedSource } from '../shared/links';
import { Choices } from './choices';
import { AgentClient } from '../shared/client';
import { testAgent } from './config/test';
import { LiveStream } from './live/stream';
import { holdsTemplate, interpolateQuery } from './interpolate';
import { AnnotationEditor } from './annotations/AnnotationEditor';
import { type ForeignQuery, migrateQuery } from './migrate';
import type { CeleryOptions } from './options';
import { kindOf } from './queries';
import { AD_HOC_KEYS, adHocChoices } from './queries/adhoc';
import { contextEvents, contextQuery } from './queries/events/context';
import { eventsFrame } from './queries/events/frame';
import type { QueryContext } from './queries/kind';
import type { CeleryQuery } from './query';
import { isLasting, runTargets } from './run';
import { CeleryVariables } from './variables/support';
import { isVolume, type Supplementary, volumeQuery, volumeRequest, withLevels } from './volume';

/** After an action: what the agent knows at once, and what workers report of it a little later. */
const REFRESH_AFTER_MS = [250, 2000];
const USUAL_POINTS = 1000;
/** Grafana tells the lines of a context from those of the query by it. */
const CONTEXT_REF = 'log-row-context-';

/** The agent as a Grafana data source. Panels reach `client` through `getDataSourceSrv().get(ref)` for their actions. */
export class CeleryDataSource
  extends DataSourceApi<CeleryQuery, CeleryOptions>
  implements Supplementary, DataSourceWithLogsContextSupport<CeleryQuery>
{
  readonly client: AgentClient;
  readonly choices: Choices;
  readonly options: CeleryOptions;
  /** The one live stream of this instance in this tab. */
  readonly live: LiveStream;
  annotations: AnnotationSupport<CeleryQuery> = {
    QueryEditor: AnnotationEditor,
    getDefaultQuery: () => ({ kind: 'annotations', show: 'workers' }),
  };
  private readonly changes = new Subject<void>();
  private readonly refreshes = this.changes.pipe(switchMap(() => merge(...REFRESH_AFTER_MS.map((ms) => timer(ms)))));

  constructor(settings: DataSourceInstanceSettings<CeleryOptions>) {
    super(settings);
    this.client = new AgentClient(settings.url ?? '');
    this.choices = new Choices(this.client);
    this.options = settings.jsonData;
    this.variables = new CeleryVariables(this);
    this.live = new LiveStream({ connect: () => this.client.stream(), probe: () => this.client.status() });
  }

  query(request: DataQueryRequest<CeleryQuery>): Observable<DataQueryResponse> {
    const queries = request.targets
      .filter(({ hide }) => hide !== true)
      .map((query) => this.interpolated(query, request.scopedVars))
      .map((query) => (request.liveStreaming === true ? asLive(query) : query))
      .filter((query) => this.filterQuery(query));
    if (queries.length === 0) {
      return of({ data: [] });
    }
    const targets = queries.map((query) => ({ query, context: this.contextOf(query, request) }));
    const packets = runTargets(targets, isLasting(request) ? this.refreshes : undefined);
    return targets.some(({ query }) => isVolume(query)) ? packets.pipe(map(withLevels)) : packets;
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

  testDatasource(): Promise<TestDataSourceResponse> {
    return testAgent(this.client);
  }

  async getTagKeys(_options?: DataSourceGetTagKeysOptions<CeleryQuery>): Promise<MetricFindValue[]> {
    return AD_HOC_KEYS.map((text) => ({ text, value: text }));
  }

  async getTagValues({ key }: DataSourceGetTagValuesOptions<CeleryQuery>): Promise<MetricFindValue[]> {
    const kind = adHocChoices(key);
    const values = kind === undefined ? [] : await this.choices.of(kind);
    return values.map((text) => ({ text, value: text }));
  }

  getSupportedSupplementaryQueryTypes(): SupplementaryQueryType[] {
    return [SupplementaryQueryType.LogsVolume];
  }

  getSupplementaryQuery({ type }: { type: SupplementaryQueryType }, query: CeleryQuery): CeleryQuery | undefined {
    return type === SupplementaryQueryType.LogsVolume ? volumeQuery(query) : undefined;
  }

  getSupplementaryRequest(
    type: SupplementaryQueryType,
    request: DataQueryRequest<CeleryQuery>,
  ): DataQueryRequest<CeleryQuery> | undefined {
    return volumeRequest(type, request);
  }

  getLogRowContext(row: LogRowModel, options?: LogRowContextOptions): Promise<DataQueryResponse> {
    const refId = `${CONTEXT_REF}${options?.direction ?? ''}`;
    const answer = contextEvents(this.client, row, options).pipe(
      map((events) => ({ data: [eventsFrame(refId, events, this.links())] })),
    );
    return firstValueFrom(answer);
  }

  getLogRowContextQuery(row: LogRowModel, _options?: LogRowContextOptions, query?: CeleryQuery): Promise<CeleryQuery> {
    return Promise.resolve({ ...contextQuery(row, query?.refId ?? 'A'), datasource: this.getRef() });
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

/** Explore's button “Live”. */
function asLive(query: CeleryQuery): CeleryQuery {
  return query.kind === 'tasks' || query.kind === 'workers' || query.kind === 'events'
    ? { ...query, live: true }
    : query;
}

function sourceOf(uid: string | undefined): NamedSource | undefined {
  const settings = uid === undefined || uid === '' ? undefined : getDataSourceSrv().getInstanceSettings(uid);
  return settings === undefined ? undefined : { uid: settings.uid, name: settings.name };
}
