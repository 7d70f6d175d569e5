import { EXCEPTION_STATES } from '../state/states.ts';
import { exceptionRepr } from './exception-repr.ts';
import { jsonRepr } from './json-repr.ts';

/** What a result backend keeps of a task's end: its state, and the value as JSON, else as text. */
export interface StoredEnd {
  readonly status: string;
  readonly resultJson: string | null;
  readonly resultRepr: string | null;
}

/** Result or exception as the task's event would have told it: as Python prints it. Undefined where there is none. */
export function reprOfEnd({ status, resultJson, resultRepr }: StoredEnd): string | undefined {
  if (resultJson === null) return resultRepr ?? undefined;
  // Of a revoked task there is none.
  if (EXCEPTION_STATES.has(status))
    return exceptionRepr(resultJson) ?? (resultJson === 'null' ? undefined : resultJson);
  // As the one item of a tuple, for a list of its own would be taken for one.
  return jsonRepr(`[${resultJson}]`).replace(/^\(/, '').replace(/,?\)$/, '');
}
