import {
  DataSourceApi,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceInstanceSettings,
  type TestDataSourceResponse,
} from '@grafana/data';
import { of, type Observable } from 'rxjs';
import { AgentClient } from './client';
import type { CeleryOptions } from './options';
import type { CeleryQuery } from './query';

/** The agent as a Grafana data source. Panels reach `client` through `getDataSourceSrv().get(ref)` for their actions. */
export class CeleryDataSource extends DataSourceApi<CeleryQuery, CeleryOptions> {
  readonly client: AgentClient;
  readonly options: CeleryOptions;

  constructor(settings: DataSourceInstanceSettings<CeleryOptions>) {
    super(settings);
    this.client = new AgentClient(settings.url ?? '');
    this.options = settings.jsonData;
  }

  query(_request: DataQueryRequest<CeleryQuery>): Observable<DataQueryResponse> {
    return of({ data: [] });
  }

  async testDatasource(): Promise<TestDataSourceResponse> {
    return { status: 'success', message: 'OK' };
  }
}
