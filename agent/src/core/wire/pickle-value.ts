/** An instance of something that the reader does not know: named, never made. */
export interface PickledObject {
  readonly kind: 'object';
  /** `module.Class`, as the pickle names it. */
  readonly name: string;
  readonly args: readonly PickleValue[];
  /** What `__setstate__` would have been given. */
  state?: PickleValue;
  /** What was appended to it: a subclass of list or set. */
  readonly items: PickleValue[];
  /** What was set in it: a subclass of dict. */
  readonly entries: [PickleValue, PickleValue][];
}

/** Plain data out of a pickle. Containers may hold themselves. */
export type PickleValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'list' | 'tuple' | 'set' | 'frozenset'; items: PickleValue[] }
  | { readonly kind: 'dict'; readonly entries: [PickleValue, PickleValue][] }
  /** A value with a text of its own: `tag` and `text` as in kombu's JSON (kombu/utils/json.py), `repr` as in Python. */
  | { readonly kind: 'tagged'; readonly tag: string; readonly json: string; readonly repr: string }
  /** A class or function, named only. */
  | { readonly kind: 'global'; readonly name: string }
  | PickledObject;

export const NONE: PickleValue = { kind: 'none' };

/** A pickle that cannot be read: broken, cut off, or beyond a limit. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

/** An object of the class `name`, made from `args`. */
export function pickledObject(name: string, args: readonly PickleValue[]): PickledObject {
  return { kind: 'object', name, args, items: [], entries: [] };
}
