import {
  createDataFrame,
  type DataFrame,
  FieldType,
  getDefaultTimeRange,
  LoadingState,
  type PanelProps,
} from '@grafana/data';
import { DATASOURCE_ID } from '../ids';

/** Uid of the data source that answers the panels of tests. */
export const TEST_UID = 'celery-uid';

/** A frame of the data source with these rows. @param custom further members of `meta.custom` */
export function frameOfRows(kind: string, rows: readonly object[], custom: object = {}): DataFrame {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return createDataFrame({
    meta: { custom: { celery: kind, ...custom } },
    fields: names.map((name) => ({
      name,
      type: FieldType.other,
      config: {},
      values: rows.map((row) => (row as Record<string, unknown>)[name]),
    })),
  });
}

export interface PanelInput<Options> {
  readonly series: DataFrame[];
  readonly options: Options;
  readonly state?: LoadingState;
  readonly width?: number;
  readonly height?: number;
}

/** What Grafana hands to a panel. */
export function panelProps<Options>({ series, options, state, width = 1000, height = 400 }: PanelInput<Options>) {
  const timeRange = getDefaultTimeRange();
  const request = { targets: [{ refId: 'A', datasource: { type: DATASOURCE_ID, uid: TEST_UID } }] };
  return {
    ...{ id: 1, width, height, title: '', timeZone: 'utc', transparent: false, renderCounter: 0, timeRange, options },
    fieldConfig: { defaults: {}, overrides: [] },
    data: { series, state: state ?? LoadingState.Done, timeRange, request },
  } as unknown as PanelProps<Options>;
}

/** Watches nothing: nothing changes its size in jsdom. */
class StillObserver {
  readonly root = null;
  readonly rootMargin = '';
  readonly scrollMargin = '';
  readonly thresholds = [];
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
  takeRecords(): [] {
    return [];
  }
}

/** jsdom lays nothing out: virtualised lists would think that they have no height. */
export function giveElementsHeight(height = 400): void {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, value: height });
  globalThis.ResizeObserver ??= StillObserver;
  globalThis.IntersectionObserver ??= StillObserver;
}
