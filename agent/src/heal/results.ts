import type { Healed } from '../core/heal/finding.ts';
import type { Masker } from '../core/mask/mask.ts';
import { EXCEPTION_STATES, isReady } from '../core/state/states.ts';
import { jsonRepr } from '../core/wire/json-repr.ts';
import type { StoredResult } from '../results/port.ts';
import { reprOfEnd } from '../core/wire/result-repr.ts';

/**
 * A final state as the result backend has it, the texts as events would have told them, secrets masked; undefined where
 * what is stored is not final.
 */
export function healedBy(stored: StoredResult, masker: Masker): Healed | undefined {
  const { status, dateDoneMs, traceback, extended } = stored;
  if (!isReady(status)) return undefined;
  const isException = EXCEPTION_STATES.has(status);
  const told: Record<string, string | undefined> = {
    [isException ? 'exception' : 'result']: reprOfEnd(stored),
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

/** What is told, each value read. */
export function present<T, R>(
  members: Readonly<Record<string, T | null | undefined>>,
  read: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([key, value]) =>
      value === null || value === undefined ? [] : [[key, read(value)]],
    ),
  );
}

function reprOf(json: string | null | undefined): string | undefined {
  return json === null || json === undefined ? undefined : jsonRepr(json);
}
