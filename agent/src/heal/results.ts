import type { Healed } from '../core/heal/finding.ts';
import type { Masker } from '../core/mask/mask.ts';
import { EXCEPTION_STATES, isReady } from '../core/state/states.ts';
import { exceptionRepr } from '../core/wire/exception-repr.ts';
import { jsonRepr } from '../core/wire/json-repr.ts';
import type { StoredResult } from '../results/port.ts';

/**
 * A final state as the result backend has it, the texts as events would have told them, secrets masked; undefined where
 * what is stored is not final.
 */
export function healedBy(stored: StoredResult, masker: Masker): Healed | undefined {
  const { status, dateDoneMs, traceback, extended } = stored;
  if (!isReady(status)) return undefined;
  const isException = EXCEPTION_STATES.has(status);
  const value = valueRepr(stored, isException);
  const told: Record<string, string | undefined> = {
    [isException ? 'exception' : 'result']: value,
    traceback: traceback ?? undefined,
    args: reprOf(extended?.argsJson),
    kwargs: reprOf(extended?.kwargsJson),
  };
  const names = { name: extended?.name, worker: extended?.worker, queue: extended?.queue, retries: extended?.retries };
  return {
    kind: 'healed',
    source: 'result-backend',
    state: status,
    at: dateDoneMs === null ? null : dateDoneMs / 1000,
    ...present(told, (text) => masker.text(text)),
    ...present(names, (name) => name),
  };
}

function present<T, R>(
  members: Readonly<Record<string, T | null | undefined>>,
  read: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([key, value]) =>
      value === null || value === undefined ? [] : [[key, read(value)]],
    ),
  );
}

function valueRepr({ resultJson, resultRepr }: StoredResult, isException: boolean): string | undefined {
  if (resultJson === null) return resultRepr ?? undefined;
  // Of a revoked task there is none.
  if (isException) return exceptionRepr(resultJson) ?? (resultJson === 'null' ? undefined : resultJson);
  // As the one item of a tuple, for a list of its own would be taken for one.
  return jsonRepr(`[${resultJson}]`).replace(/^\(/, '').replace(/,?\)$/, '');
}

function reprOf(json: string | null | undefined): string | undefined {
  return json === null || json === undefined ? undefined : jsonRepr(json);
}
