import {
  applyFieldOverrides,
  CoreApp,
  createTheme,
  type DataFrame,
  type DataQuery,
  type DataQueryRequest,
  type DataSourceApi,
  dateTime,
  EventBusSrv,
  LoadingState,
  type PanelData,
  type PanelPlugin,
  type TimeRange,
} from '@grafana/data';
import React, { useEffect, useMemo, useState } from 'react';
import { from, isObservable, type Observable } from 'rxjs';
import { useElementSize } from './useElementSize';

interface Props {
  readonly plugin: PanelPlugin;
  readonly source: DataSourceApi;
  readonly targets: readonly DataQuery[];
  readonly options: object;
  /** Of the time range, which ends now */
  readonly hours: number;
}

/** One panel of a dashboard that is never refreshed: what changes on the screen, the panel or its data source changed. */
export function PanelHost({ plugin, source, targets, options, hours }: Props) {
  const [box, { width, height }] = useElementSize();
  const request = useMemo(() => requestOf(targets, hours), [targets, hours]);
  const data = useQuery(source, request);
  const [shown, setShown] = useState({ ...plugin.defaults, ...options });
  const Panel = plugin.panel;
  useFirstRowMarks();
  return (
    <div ref={box} style={{ width: '100%', height: '100%' }} data-testid="panel" data-state={data.state}>
      {Panel !== null && width > 0 && (
        <Panel
          id={1}
          title="Panel"
          data={data}
          timeRange={data.timeRange}
          timeZone="utc"
          options={shown}
          fieldConfig={plugin.fieldConfigDefaults}
          transparent={false}
          width={width}
          height={height}
          renderCounter={0}
          replaceVariables={(text: string) => text}
          eventBus={eventBus}
          onOptionsChange={setShown}
          onFieldConfigChange={() => undefined}
          onChangeTimeRange={() => undefined}
        />
      )}
    </div>
  );
}

/** Marks in the browser's timeline: `panel` when the panel is asked for, `rows` when it shows the first. */
function useFirstRowMarks(): void {
  useEffect(() => {
    performance.mark('panel');
    const observer = new MutationObserver(() => {
      if (document.querySelector('[role="gridcell"], [role="cell"]') !== null) {
        performance.mark('rows');
        observer.disconnect();
      }
    });
    observer.observe(document.body, { subtree: true, childList: true });
    return () => observer.disconnect();
  }, []);
}

const eventBus = new EventBusSrv();

function requestOf(targets: readonly DataQuery[], hours: number): DataQueryRequest {
  const range = lastHours(hours);
  return {
    ...{ requestId: 'Q1', app: CoreApp.Dashboard, timezone: 'utc', startTime: Date.now(), scopedVars: {} },
    ...{ interval: '15s', intervalMs: 15_000, maxDataPoints: 500, range, rangeRaw: range.raw, filters: [] },
    targets: targets.map((target) => ({ ...target, datasource: { uid: 'umbel', type: 'umbel-celery-datasource' } })),
  } as unknown as DataQueryRequest;
}

function lastHours(hours: number): TimeRange {
  const to = dateTime();
  return { from: dateTime(to).subtract(hours, 'hour'), to, raw: { from: `now-${hours}h`, to: 'now' } };
}

function useQuery(source: DataSourceApi, request: DataQueryRequest): PanelData {
  const [data, setData] = useState<PanelData>({
    state: LoadingState.Loading,
    series: [],
    timeRange: request.range,
    request,
  });
  useEffect(() => {
    const packets = new Map<string, DataFrame[]>();
    const answered = source.query(request);
    const stream = (isObservable(answered) ? answered : from(answered)) as Observable<{
      data: DataFrame[];
      key?: string;
      state?: LoadingState;
      errors?: PanelData['errors'];
    }>;
    const subscription = stream.subscribe({
      next: ({ data: frames, key = 'A', state = LoadingState.Done, errors }) => {
        packets.set(key, frames);
        const series = withOverrides([...packets.values()].flat());
        setData({ state, series, timeRange: request.range, request, errors, error: errors?.[0] });
      },
      error: (error: Error) => {
        setData({ state: LoadingState.Error, series: [], timeRange: request.range, request, error, errors: [error] });
      },
    });
    return () => subscription.unsubscribe();
  }, [source, request]);
  return data;
}

function withOverrides(frames: DataFrame[]): DataFrame[] {
  return applyFieldOverrides({
    data: frames,
    fieldConfig: { defaults: {}, overrides: [] },
    replaceVariables: (text) => text,
    theme: createTheme({ colors: { mode: 'dark' } }),
    timeZone: 'utc',
  });
}
