import {
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceWithSupplementaryQueriesSupport,
  SupplementaryQueryType,
} from '@grafana/data';
import type { CeleryQuery, EventsQuery, SeriesQuery } from './query';

export type Supplementary = DataSourceWithSupplementaryQueriesSupport<CeleryQuery>;

/** Prefix of the refIds of log volumes, as Grafana expects them to differ from those of the logs. */
const PREFIX = 'log-volume-';

/** The roll-ups tell how many events of tasks there were, by the state that they led to. */
export function volumeQuery(query: CeleryQuery): SeriesQuery | undefined {
  if (query.kind !== 'events' || query.hide === true || !isCountable(query)) {
    return undefined;
  }
  const { refId, datasource, filter } = query;
  return { refId: `${PREFIX}${refId}`, datasource, kind: 'series', columns: ['count'], by: ['state'], filter };
}

/** Roll-ups know no texts, types and ids. */
function isCountable({ types = [], taskId = '', text = '' }: EventsQuery): boolean {
  return types.length === 0 && taskId === '' && text === '';
}

export function volumeRequest(
  type: SupplementaryQueryType,
  request: DataQueryRequest<CeleryQuery>,
): DataQueryRequest<CeleryQuery> | undefined {
  const targets =
    type === SupplementaryQueryType.LogsVolume ? request.targets.flatMap((one) => volumeQuery(one) ?? []) : [];
  return targets.length === 0
    ? undefined
    : { ...request, targets, requestId: `${request.requestId}_log_volume`, liveStreaming: false };
}

export function isVolume({ refId }: CeleryQuery): boolean {
  return refId.startsWith(PREFIX);
}

const LEVELS: Readonly<Record<string, string>> = {
  ...{ FAILURE: 'error', REJECTED: 'error', RETRY: 'warning', REVOKED: 'warning' },
  ...{ PENDING: 'debug', RECEIVED: 'debug' },
};

/** Grafana stacks the bars of a log volume by the label `level`. */
export function withLevels(packet: DataQueryResponse): DataQueryResponse {
  return { ...packet, data: (packet.data as DataFrame[]).map(levelled) };
}

function levelled(frame: DataFrame): DataFrame {
  const fields = frame.fields.map((field) => {
    const level = LEVELS[field.labels?.['state'] ?? ''] ?? 'info';
    return field.labels === undefined ? field : { ...field, labels: { level }, config: { displayNameFromDS: level } };
  });
  return { ...frame, fields };
}
