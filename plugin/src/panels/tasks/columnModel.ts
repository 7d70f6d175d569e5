import type { TaskSortKey } from '../../shared/api';

/** Members of a task that can be shown, in the order in which they are offered. */
export const COLUMN_IDS = [
  'timestampMs',
  'state',
  'name',
  'taskId',
  'args',
  'kwargs',
  'result',
  'runtimeMs',
  'worker',
  'queue',
  'retries',
  'receivedMs',
  'startedMs',
  'sentMs',
  'exceptionType',
  'rootId',
  'parentId',
  'eta',
  'expires',
] as const;
export type ColumnId = (typeof COLUMN_IDS)[number];

export interface ColumnChoice {
  readonly id: ColumnId;
  /** Pixels; absent: the usual width, and a share of what is left */
  readonly width?: number;
}

const WIDTHS: Readonly<Record<ColumnId, number>> = {
  timestampMs: 190,
  state: 110,
  name: 220,
  taskId: 150,
  args: 200,
  kwargs: 200,
  result: 220,
  runtimeMs: 90,
  worker: 170,
  queue: 110,
  retries: 70,
  receivedMs: 190,
  startedMs: 190,
  sentMs: 190,
  exceptionType: 150,
  rootId: 150,
  parentId: 150,
  eta: 190,
  expires: 190,
};
/** As narrow as a column of long texts becomes before the table scrolls sideways. */
const NARROW: Readonly<Partial<Record<ColumnId, number>>> = {
  name: 150,
  args: 110,
  kwargs: 90,
  result: 130,
  worker: 110,
};
/** Texts of any length take what is left over. */
const GROW: Readonly<Partial<Record<ColumnId, number>>> = { name: 2, args: 2, kwargs: 2, result: 3, worker: 1 };

export const MIN_WIDTH = 48;
const MAX_WIDTH = 1200;
/** Steps of a width that is changed by key. */
export const WIDTH_STEP = 16;

const USUAL: readonly ColumnId[] = [
  'timestampMs',
  'state',
  'name',
  'taskId',
  'args',
  'kwargs',
  'result',
  'runtimeMs',
  'worker',
  'queue',
];

export const SORT_KEYS: Readonly<Partial<Record<ColumnId, TaskSortKey>>> = {
  timestampMs: 'timestamp',
  state: 'state',
  name: 'name',
  runtimeMs: 'runtime',
  worker: 'worker',
  receivedMs: 'received',
  startedMs: 'started',
};

/** The columns to show: those saved that still exist, else the usual ones. */
export function chosenColumns(saved: readonly ColumnChoice[] | undefined): readonly ColumnChoice[] {
  const known = (saved ?? []).filter(({ id }) => COLUMN_IDS.includes(id));
  return known.length > 0 ? known : USUAL.map((id) => ({ id }));
}

/** Adds a column at the end, or takes it away; the last one stays. */
export function toggleColumn(columns: readonly ColumnChoice[], id: ColumnId): readonly ColumnChoice[] {
  const rest = columns.filter((column) => column.id !== id);
  if (rest.length === columns.length) {
    return [...columns, { id }];
  }
  return rest.length === 0 ? columns : rest;
}

/** @param by places towards the start (negative) or the end; beyond either, nothing changes */
export function moveColumn(columns: readonly ColumnChoice[], id: ColumnId, by: number): readonly ColumnChoice[] {
  const from = columns.findIndex((column) => column.id === id);
  const to = from + by;
  const moved = columns[from];
  if (moved === undefined || by === 0 || to < 0 || to >= columns.length) {
    return columns;
  }
  const rest = columns.filter((column) => column.id !== id);
  return [...rest.slice(0, to), moved, ...rest.slice(to)];
}

/**
 * Between which columns a header is let go.
 *
 * @param x pixels from the left edge of the first column
 * @returns 0: before the first; `widths.length`: after the last
 */
export function gapAt(widths: readonly number[], x: number): number {
  const middles = widths.map((width, place) => sum(widths.slice(0, place)) + width / 2);
  return middles.filter((middle) => middle < x).length;
}

/** Places by which a column moves to stand in a gap of `gapAt`; its own two gaps leave it where it is. */
export function placesTo(gap: number, from: number): number {
  return gap > from ? gap - 1 - from : gap - from;
}

export function resizeColumn(columns: readonly ColumnChoice[], id: ColumnId, width: number): readonly ColumnChoice[] {
  return columns.map((column) => (column.id === id ? { id, width: clampWidth(width) } : column));
}

export function clampWidth(width: number): number {
  return Math.round(Math.min(Math.max(width, MIN_WIDTH), MAX_WIDTH));
}

/**
 * Pixels of each column. Columns of long texts whose width nobody has set take what is left of the place, and give way
 * where it does not suffice; beyond that the table scrolls sideways.
 */
export function layoutColumns(columns: readonly ColumnChoice[], place: number): readonly number[] {
  const usual = columns.map(({ id, width }) => width ?? WIDTHS[id]);
  const left = place - sum(usual);
  const shares = columns.map(({ id, width }) =>
    width !== undefined ? 0 : left > 0 ? (GROW[id] ?? 0) : WIDTHS[id] - (NARROW[id] ?? WIDTHS[id]),
  );
  const all = sum(shares);
  const part = all === 0 ? 0 : Math.max(left / all, -1);
  return usual.map((width, index) => Math.floor(width + part * (shares[index] ?? 0)));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
