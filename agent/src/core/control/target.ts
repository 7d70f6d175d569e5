import type { Target } from './command.ts';
import { ControlRefused } from './command.ts';
import { matchesGlob } from './glob.ts';
import { pythonPattern } from './python-pattern.ts';

/** Longest pattern; Python compiles what it is sent. */
const MAX_PATTERN = 512;

/**
 * A target from what a request gave: names, or a pattern with its matcher, or neither for all workers.
 *
 * @throws ControlRefused `bad-argument` for an empty list, an empty name, an unknown matcher, or both at once
 */
export function readTarget(given: {
  readonly workers?: readonly string[] | undefined;
  readonly pattern?: string | undefined;
  readonly matcher?: string | undefined;
}): Target {
  const { workers, pattern, matcher = 'glob' } = given;
  if (workers !== undefined && pattern !== undefined) {
    throw new ControlRefused('bad-argument', 'pattern: cannot be given together with workers.', 'pattern');
  }
  const target = targetOf(workers, pattern, matcher);
  checkTarget(target);
  return target;
}

function targetOf(workers: readonly string[] | undefined, pattern: string | undefined, matcher: string): Target {
  if (workers !== undefined) {
    const [first, ...rest] = new Set(workers);
    if (first === undefined) throw emptyList();
    return { kind: 'workers', workers: [first, ...rest] };
  }
  if (pattern === undefined) return { kind: 'all' };
  if (matcher !== 'glob' && matcher !== 'pcre') {
    throw new ControlRefused('bad-argument', 'matcher: must be glob or pcre.', 'matcher');
  }
  return { kind: 'pattern', pattern, matcher };
}

function emptyList(): ControlRefused {
  return new ControlRefused(
    'bad-argument',
    'workers: must name at least one; an empty list would reach every worker. Leave it out to mean all of them.',
    'workers',
  );
}

/**
 * Guards the one mistake that cannot be taken back: an empty list, or a pattern without a matcher, reaches every worker
 * (kombu/pidbox.py `dispatch`). To be called before anything is sent, whatever the types say.
 *
 * @throws ControlRefused `bad-argument`
 */
export function checkTarget(target: Target): void {
  if (target.kind === 'workers') {
    const names: readonly unknown[] = Array.isArray(target.workers) ? target.workers : [];
    if (names.length === 0) throw emptyList();
    if (!names.every((name) => typeof name === 'string' && name !== '')) {
      throw new ControlRefused('bad-argument', 'workers: every name must be a text such as celery@host.', 'workers');
    }
  }
  if (target.kind === 'pattern') {
    if (typeof target.pattern !== 'string' || target.pattern === '' || target.pattern.length > MAX_PATTERN) {
      throw new ControlRefused('bad-argument', `pattern: must have 1 to ${MAX_PATTERN} characters.`, 'pattern');
    }
    const matcher: unknown = target.matcher;
    if (matcher !== 'glob' && matcher !== 'pcre') {
      throw new ControlRefused('bad-argument', 'matcher: must be glob or pcre.', 'matcher');
    }
    if (matcher === 'pcre') pythonPattern(target.pattern);
  }
}

/**
 * Those of `online` that a target reaches, as the workers will judge it.
 *
 * @throws ControlRefused `bad-argument` for a `pcre` that cannot be judged here
 */
export function reachedBy(target: Target, online: readonly string[]): readonly string[] {
  switch (target.kind) {
    case 'all':
      return online;
    case 'workers':
      return target.workers;
    case 'pattern': {
      const { pattern, matcher } = target;
      const matches = matcher === 'glob' ? (name: string) => matchesGlob(pattern, name) : pythonPattern(pattern);
      return online.filter(matches);
    }
  }
}

/** For sentences: `w1@host`, `2 workers`, `all workers`, `workers like w*`. */
export function describeTarget(target: Target): string {
  switch (target.kind) {
    case 'all':
      return 'all workers';
    case 'workers':
      return target.workers.length === 1 ? target.workers[0] : `${target.workers.length} workers`;
    case 'pattern':
      return `workers like ${target.pattern}`;
  }
}
