/** Which tasks are chosen: by id, so that a choice outlives a refresh. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The one chosen last: where a range begins */
  readonly anchor?: string;
  /** Everything that matches, not only what is shown */
  readonly whole: boolean;
}

export const NOTHING: Selection = { ids: new Set(), whole: false };

export function toggle({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) {
    next.add(id);
  }
  return { ids: next, anchor: id, whole: false };
}

/** All from the last chosen to `id`, in the order shown; what was chosen before stays chosen. */
export function extend(selection: Selection, id: string, shown: readonly string[]): Selection {
  const from = selection.anchor === undefined ? -1 : shown.indexOf(selection.anchor);
  const to = shown.indexOf(id);
  if (from < 0 || to < 0) {
    return toggle(selection, id);
  }
  const range = shown.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: selection.anchor, whole: false };
}

export function selectAll(shown: readonly string[]): Selection {
  return { ids: new Set(shown), whole: false };
}

export function selectWhole(shown: readonly string[]): Selection {
  return { ids: new Set(shown), whole: true };
}

/** For the checkbox in the header. */
export function coverage({ ids }: Selection, shown: readonly string[]): 'none' | 'some' | 'all' {
  const count = shown.reduce((sum, id) => sum + (ids.has(id) ? 1 : 0), 0);
  if (count === 0) {
    return 'none';
  }
  return count === shown.length ? 'all' : 'some';
}
