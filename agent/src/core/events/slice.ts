const { imul } = Math;

/** Part `index` (from 1) of `of` parts of the stream, told apart by the task id. */
export interface Slice {
  readonly index: number;
  readonly of: number;
}

/** More agents than one Postgres can take. */
export const MAX_SLICES = 64;
export const WHOLE: Slice = { index: 1, of: 1 };

/** All slices of a stream in so many parts. */
export function slicesOf(of: number): Slice[] {
  return Array.from({ length: of }, (_, at) => ({ index: at + 1, of }));
}

/** `2/3`. */
export function sliceText({ index, of }: Slice): string {
  return `${index}/${of}`;
}

/**
 * The slice of a task, from 1 to `of`: FNV-1a of the id's UTF-16 units, 32 bits, its high half folded in, modulo `of`. The
 * same in every release, or the agents of a rolling upgrade would leave tasks out.
 */
export function sliceOf(taskId: string, of: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < taskId.length; at++) hash = imul(hash ^ taskId.charCodeAt(at), 0x01000193);
  return (((hash ^ (hash >>> 16)) >>> 0) % of) + 1;
}

/** Worker events belong to every slice: each agent must know who is there. */
export function isInSlice(taskId: string, { index, of }: Slice): boolean {
  return of === 1 || sliceOf(taskId, of) === index;
}
