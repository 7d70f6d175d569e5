import {
  createDataFrame,
  type DataFrame,
  type DataLink,
  type FieldConfig,
  FieldType,
  type QueryResultMetaNotice,
  type ValueMapping,
  type PreferredVisualisationType,
} from '@grafana/data';

/** A field of a frame: the member of the agent's answer that it shows, and how Grafana shall show it. */
export interface Column<Row> {
  readonly name: string;
  readonly title: string;
  readonly type: FieldType;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly description?: string;
  readonly mappings?: ValueMapping[];
  readonly links?: DataLink[];
  /** In the frame, for links and own panels, but not shown by the built-in table */
  readonly hidden?: boolean;
  /** Pixels in the built-in table; default is what is left */
  readonly width?: number;
  /** Default: the member `name` */
  readonly value?: (row: Row) => unknown;
}

export interface FrameInfo {
  readonly refId: string;
  /** `meta.custom.celery`: how own panels find the frame */
  readonly kind: string;
  readonly name?: string;
  readonly custom?: Readonly<Record<string, unknown>>;
  readonly notices?: readonly QueryResultMetaNotice[];
  readonly view?: PreferredVisualisationType;
}

/**
 * A table of the agent's answers: one field per column, one row per object; `undefined` becomes null. Without rows it has
 * no fields either: Grafana's table then shows what the panel says where there is no data, else bare headings.
 */
export function tableFrame<Row>(info: FrameInfo, columns: ReadonlyArray<Column<Row>>, rows: readonly Row[]): DataFrame {
  return createDataFrame({
    refId: info.refId,
    name: info.name ?? info.kind,
    meta: {
      custom: { celery: info.kind, ...info.custom },
      preferredVisualisationType: info.view ?? 'table',
      ...(info.notices === undefined || info.notices.length === 0 ? {} : { notices: [...info.notices] }),
    },
    fields: (rows.length === 0 ? [] : columns).map((column) => ({
      name: column.name,
      type: column.type,
      config: configOf(column),
      values: rows.map(
        (row) => (column.value ?? ((one) => (one as Record<string, unknown>)[column.name]))(row) ?? null,
      ),
    })),
  });
}

function configOf(column: Column<never>): FieldConfig {
  const { title, unit, decimals, min, description, mappings, links, hidden, width } = column;
  const custom = {
    ...(hidden === true ? { hidden: true, hideFrom: { viz: true, legend: true, tooltip: true } } : {}),
    ...(width === undefined ? {} : { width }),
    ...(mappings === undefined ? {} : { cellOptions: { type: 'color-text' } }),
  };
  return {
    displayName: title,
    ...(unit === undefined ? {} : { unit }),
    ...(decimals === undefined ? {} : { decimals }),
    ...(min === undefined ? {} : { min }),
    ...(description === undefined ? {} : { description }),
    ...(mappings === undefined ? {} : { mappings }),
    ...(links === undefined || links.length === 0 ? {} : { links }),
    ...(Object.keys(custom).length === 0 ? {} : { custom }),
  };
}

type Rest<Row> = Omit<Column<Row>, 'name' | 'title' | 'type'>;

/** Short forms, so that a list of columns reads as a table. */
export const column = {
  text: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.string },
    ...rest,
  }),
  number: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.number },
    ...rest,
  }),
  /** A duration in milliseconds */
  span: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.number, unit: 'ms' },
    ...rest,
  }),
  /** An instant in epoch milliseconds */
  time: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.time },
    ...rest,
  }),
  flag: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.boolean },
    ...rest,
  }),
  /** A list or an object, shown as JSON by the built-in table */
  other: <Row>(name: string, title: string, rest: Rest<Row> = {}): Column<Row> => ({
    ...{ name, title, type: FieldType.other },
    ...rest,
  }),
} as const;

/** The notice that rows are missing, with what to do about it. */
export function truncated(text: string): QueryResultMetaNotice {
  return { severity: 'info', text };
}

/** The notice that something is not as it should be. */
export function warning(text: string): QueryResultMetaNotice {
  return { severity: 'warning', text };
}
