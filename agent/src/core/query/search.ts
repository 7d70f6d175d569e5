/**
 * Flower's search syntax (flower/utils/search.py), parsed; reference: flower.md section 5.
 * The reader of the history turns the tree into SQL, so Flower's `search=` and `/api/v1` find the same tasks.
 */
export type SearchField = 'any' | 'name' | 'worker' | 'args' | 'kwargs' | 'result' | 'state' | 'id';

export type SearchNode =
  | { readonly kind: 'and' | 'or'; readonly nodes: readonly SearchNode[] }
  /** Case-insensitive substring (`state`: equality) of the field; `any` = id, name, state, worker, args, kwargs, result. */
  | { readonly kind: 'term'; readonly field: SearchField; readonly text: string }
  /** `kwargs:key=value`: an exact pair of the parsed kwargs repr. */
  | { readonly kind: 'kwarg'; readonly key: string; readonly value: string };
