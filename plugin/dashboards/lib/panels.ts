import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LogsSortOrder,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableCellHeight,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  PanelBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type DataTransformerConfig,
  type DynamicConfigValue,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as bargaugeSdk from '@grafana/grafana-foundation-sdk/bargauge';
import * as heatmapSdk from '@grafana/grafana-foundation-sdk/heatmap';
import * as logsSdk from '@grafana/grafana-foundation-sdk/logs';
import * as nodegraphSdk from '@grafana/grafana-foundation-sdk/nodegraph';
import * as statSdk from '@grafana/grafana-foundation-sdk/stat';
import * as tableSdk from '@grafana/grafana-foundation-sdk/table';
import * as timeseriesSdk from '@grafana/grafana-foundation-sdk/timeseries';
import { PANEL_IDS } from '../../src/shared/ids';
import type { DataLink } from './links';
import { CELERY, PROMETHEUS, type Target } from './sources';

/** What no panel may lack. Width is of 24 columns, a row of height is 38 px. */
export interface Base {
  readonly title: string;
  readonly description: string;
  readonly targets: readonly Target[];
  readonly width: number;
  readonly height: number;
  /** Stands where there is no data */
  readonly empty: string;
  readonly from?: 'celery' | 'prometheus';
  readonly transformations?: readonly DataTransformerConfig[];
  readonly overrides?: readonly Override[];
  readonly links?: readonly DataLink[];
  /** Looks back so far whatever the dashboard's range is, e.g. `7d` */
  readonly timeFrom?: string;
}

export interface Override {
  /** Name of a field, or a pattern between slashes */
  readonly field: string;
  readonly set: Readonly<Record<string, unknown>>;
}

/** What the SDK's builders, one for each type of panel, have in common. */
type AnyPanelBuilder = {
  readonly [
    Method in
      | 'title'
      | 'description'
      | 'datasource'
      | 'targets'
      | 'span'
      | 'height'
      | 'noValue'
      | 'transformations'
      | 'timeFrom'
      | 'withOverride'
      | 'dataLinks'
  ]: (...args: Parameters<PanelBuilder[Method]>) => unknown;
};

function base<Builder extends AnyPanelBuilder>(builder: Builder, options: Base): Builder {
  const source = options.from === 'prometheus' ? PROMETHEUS : CELERY;
  builder.title(options.title);
  builder.description(options.description);
  builder.datasource(source);
  builder.targets([...options.targets]);
  builder.span(options.width);
  builder.height(options.height);
  builder.noValue(options.empty);
  if (options.transformations !== undefined) {
    builder.transformations([...options.transformations]);
  }
  if (options.timeFrom !== undefined) {
    builder.timeFrom(options.timeFrom);
  }
  for (const { field, set } of options.overrides ?? []) {
    const properties: DynamicConfigValue[] = Object.entries(set).map(([id, value]) => ({ id, value }));
    const pattern = /^\/.*\/$/.test(field);
    builder.withOverride({ matcher: { id: pattern ? 'byRegexp' : 'byName', options: field }, properties });
  }
  if (options.links !== undefined) {
    builder.dataLinks(options.links.map((link) => ({ build: () => link as never })));
  }
  return builder;
}

/** Else the sentence for an empty panel stands in each empty cell, legend and bar too. */
const EMPTY_CELLS: Override = { field: '/.*/', set: { noValue: '–' } };
const withEmptyCells = <Options extends Base>(options: Options): Options => ({
  ...orNoAnswer(options),
  overrides: [EMPTY_CELLS, ...(options.overrides ?? [])],
});

/** Grafana shows this text beside an error, too: alone it would say that all is well. */
const orNoAnswer = <Options extends Base>(options: Options): Options =>
  options.from === 'prometheus' || /answer/.test(options.empty)
    ? options
    : { ...options, empty: `${options.empty}, or no answer` };

/** States keep one colour on every panel; the names are those of Grafana's palette, for light and dark. */
export const STATE_COLOURS: readonly Override[] = Object.entries({
  SUCCESS: 'green',
  FAILURE: 'red',
  RETRY: 'orange',
  REVOKED: 'purple',
  REJECTED: 'dark-red',
  STARTED: 'blue',
  RECEIVED: 'light-blue',
  PENDING: 'text',
}).map(([state, fixedColor]) => ({ field: state, set: { color: { mode: 'fixed', fixedColor } } }));

export interface TimeSeries extends Base {
  readonly unit: string;
  readonly stacked?: boolean;
  readonly bars?: boolean;
  /** What the legend's table shows beside the names */
  readonly calcs?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Names keep their colours over several panels; of many names some are then hard to tell apart. */
  readonly coloursByName?: boolean;
}

export function timeseries(options: TimeSeries): timeseriesSdk.PanelBuilder {
  const builder = base(new timeseriesSdk.PanelBuilder(), withEmptyCells(options))
    .unit(options.unit)
    .min(options.min ?? 0)
    .colorScheme(
      new FieldColorBuilder().mode(
        options.coloursByName ? FieldColorModeId.PaletteClassicByName : FieldColorModeId.PaletteClassic,
      ),
    )
    .lineWidth(options.bars ? 0 : 1)
    .fillOpacity(options.bars ? 80 : options.stacked ? 30 : 8)
    .drawStyle(options.bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .showPoints(VisibilityMode.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(options.calcs === undefined ? LegendDisplayMode.List : LegendDisplayMode.Table)
        .placement(options.calcs === undefined ? LegendPlacement.Bottom : LegendPlacement.Right)
        .showLegend(true)
        .calcs([...(options.calcs ?? [])]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (options.max !== undefined) {
    builder.max(options.max);
  }
  if (options.stacked) {
    builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  }
  return builder;
}

export interface Stat extends Base {
  readonly unit: string;
  readonly calc?: string;
  /** Which fields count: a name or a pattern between slashes; default the numbers */
  readonly fields?: string;
  readonly decimals?: number;
  /** Colour from each value on, e.g. `[[0, 'green'], [1, 'red']]`; none: the colour of text */
  readonly thresholds?: ReadonlyArray<readonly [number, string]>;
  readonly mappings?: readonly ValueMapping[];
  readonly withNames?: boolean;
}

export function stat(options: Stat): statSdk.PanelBuilder {
  const builder = base(new statSdk.PanelBuilder(), options)
    .unit(options.unit)
    .colorMode(options.thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(options.withNames ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(
      new ReduceDataOptionsBuilder()
        .values(false)
        .calcs([options.calc ?? 'lastNotNull'])
        .fields(options.fields ?? ''),
    )
    .mappings([...(options.mappings ?? [])])
    .thresholds(thresholds(options.thresholds ?? [[0, 'text']]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  return options.decimals === undefined ? builder : builder.decimals(options.decimals);
}

export function thresholds(steps: ReadonlyArray<readonly [number, string]>): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([value, color], index) => ({ value: index === 0 ? null : value, color })));
}

export interface BarGauge extends Omit<Stat, 'withNames'> {
  /** A bar for each row in place of one for each series */
  readonly values?: boolean;
}

export function barGauge(options: BarGauge): bargaugeSdk.PanelBuilder {
  return base(new bargaugeSdk.PanelBuilder(), withEmptyCells(options))
    .unit(options.unit)
    .min(0)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(
      new ReduceDataOptionsBuilder()
        .values(options.values ?? false)
        .calcs([options.calc ?? 'lastNotNull'])
        .fields(options.fields ?? ''),
    )
    .thresholds(thresholds(options.thresholds ?? [[0, 'blue']]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
}

export interface Table extends Base {
  /** Fields that are shown, by name; default all */
  readonly columns?: readonly string[];
}

export function table(options: Table): tableSdk.PanelBuilder {
  const { columns, transformations = [] } = options;
  const chosen: DataTransformerConfig[] =
    columns === undefined ? [] : [{ id: 'filterFieldsByName', options: { include: { names: columns } } }];
  return base(new tableSdk.PanelBuilder(), {
    ...withEmptyCells(options),
    transformations: [...transformations, ...chosen],
  })
    .showHeader(true)
    .filterable(true)
    .cellHeight(TableCellHeight.Sm);
}

export const logs = (options: Base): logsSdk.PanelBuilder =>
  base(new logsSdk.PanelBuilder(), orNoAnswer(options))
    .showTime(true)
    .wrapLogMessage(false)
    .enableLogDetails(true)
    .sortOrder(LogsSortOrder.Ascending);

export const nodeGraph = (options: Base): nodegraphSdk.PanelBuilder =>
  base(new nodegraphSdk.PanelBuilder(), orNoAnswer(options));

export const heatmap = (options: Base & { readonly unit: string }): heatmapSdk.PanelBuilder =>
  base(new heatmapSdk.PanelBuilder(), options)
    .unit('none')
    .yAxis(new heatmapSdk.YAxisConfigBuilder().unit(options.unit));

export const traces = (options: Base): PanelBuilder => base(new PanelBuilder().type('traces'), orNoAnswer(options));

/** A panel of ours. @param settings its options where they differ from the defaults */
export const ours = (
  panel: keyof typeof PANEL_IDS,
  options: Base,
  settings: Readonly<Record<string, unknown>> = {},
): PanelBuilder => base(new PanelBuilder().type(PANEL_IDS[panel]).options(settings), options);
