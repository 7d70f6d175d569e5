import { createHash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NO_TRACE = '0'.repeat(32);

/** Which of the spans of a task: the task itself, or an attempt's time in the queue or in the worker. */
export type SpanPart = 'task' | `queue ${number}` | `run ${number}`;

/**
 * Trace id of a workflow, 32 hex digits: its root id without dashes, so that it can be typed by hand. Celery takes any
 * text for an id; one that is no UUID gives the first half of its SHA-256. The same in every replica and release.
 */
export function traceIdOf(rootId: string): string {
  const plain = UUID.test(rootId) ? rootId.replaceAll('-', '').toLowerCase() : NO_TRACE;
  return plain === NO_TRACE ? digest(rootId, 32) : plain;
}

/**
 * Trace id of a task. Without a root id, which only tasks lack whose first events were missed, the task counts as a
 * root. Celery checks no types, so neither value need be a text.
 */
export function traceIdOfTask(taskId: string, rootId: unknown): string {
  return traceIdOf(rootOf(taskId, rootId));
}

/** Id of the task at the root of the task's workflow. */
export function rootOf(taskId: string, rootId: unknown): string {
  return typeof rootId === 'string' && rootId !== '' ? rootId : taskId;
}

/** Span id, 16 hex digits: of the SHA-256 of the task id and the part. The same in every replica and release. */
export function spanIdOf(taskId: string, part: SpanPart): string {
  return digest(`${taskId}\u0000${part}`, 16);
}

/** Neither is ever all zeros, which OpenTelemetry takes for no id; nobody knows a text that hashes to it. */
function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
