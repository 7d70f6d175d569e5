import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { from, map, type Observable } from 'rxjs';
import type { CeleryDataSource } from '../datasource';
import { VariableEditor } from './VariableEditor';
import { CHOICES, type VariableQuery } from './query';

/** Latest tasks that a variable offers: enough to pick one from, a page of the list at most. */
const MOST_TASKS = 100;

/** Template variables of the data source. */
export class CeleryVariables extends CustomVariableSupport<CeleryDataSource, VariableQuery> {
  editor = VariableEditor;

  constructor(private readonly dataSource: CeleryDataSource) {
    super();
  }

  query({ targets }: DataQueryRequest<VariableQuery>): Observable<DataQueryResponse> {
    const kind = targets[0]?.kind ?? 'tasks';
    const values =
      kind === 'recent'
        ? this.dataSource.client
            .tasks({ limit: MOST_TASKS })
            .pipe(
              map(({ tasks }) =>
                tasks.map(({ taskId, name }) => ({ value: taskId, text: `${taskId} ${name ?? ''}`.trim() })),
              ),
            )
        : from(this.dataSource.choices.of(CHOICES[kind])).pipe(
            map((list) => list.map((value) => ({ value, text: value }))),
          );
    return values.pipe(map((data) => ({ data })));
  }
}
