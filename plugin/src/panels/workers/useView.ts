import { useState } from 'react';
import type { TableSort } from '../../shared/ui/VirtualTable';
import { matches, sortRows, targetOf, type WorkerRow } from './model';
import { WORKER_SORTS, type WorkerSort, type WorkersOptions } from './types';

const NONE: ReadonlySet<string> = new Set();

/** What is shown of all workers, and whom a command goes to: the selected, or without a selection all that are shown. */
export function useView(
  all: readonly WorkerRow[],
  rates: ReadonlyMap<string, number>,
  options: WorkersOptions,
  nowMs: number,
) {
  const [search, onSearch] = useState('');
  const [selected, setSelected] = useState(NONE);
  const [chosen, setSort] = useState<TableSort>();
  const sort = chosen ?? { column: options.sortBy, descending: options.descending };
  const kept = all.filter((row) => isKept(row, nowMs, options.hideOfflineAfterMinutes));
  const found = kept.filter((row) => matches(row, search));
  const shown = sortRows(found, toSort(sort.column), sort.descending, rates);
  const chosenRows = shown.filter(({ hostname }) => selected.has(hostname));
  const selectedCount = chosenRows.length;
  const orders = selectedCount > 0 ? targetOf(chosenRows, false) : targetOf(shown, shown.length === all.length);
  return { search, onSearch, selected, setSelected, selectedCount, sort, setSort, kept, shown, orders };
}

function isKept({ status, lastHeartbeatMs = 0 }: WorkerRow, nowMs: number, minutes: number): boolean {
  return status !== 'offline' || minutes === 0 || nowMs - lastHeartbeatMs <= minutes * 60_000;
}

function toSort(column: string): WorkerSort {
  return WORKER_SORTS.find((one) => one === column) ?? 'hostname';
}
