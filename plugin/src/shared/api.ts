/**
 * What the agent's `/api/v1` takes and answers: the agent's own schemas, as types alone. A member that is renamed there
 * fails the type check here.
 */
import type { Static } from 'typebox';
import type * as control from '../../../agent/src/http/contract/control-schemas.ts';
import type { TaskFilterQuery } from '../../../agent/src/http/contract/parameters.ts';
import type * as read from '../../../agent/src/http/contract/schemas.ts';
import type { TargetBody } from '../../../agent/src/http/contract/targets.ts';

export type Task = Static<typeof read.TaskSchema>;
export type TaskDetail = Static<typeof read.TaskDetailSchema>;
export type TaskPage = Static<typeof read.TaskPageSchema>;
export type Timeline = Static<typeof read.TimelineSchema>;
export type Workflow = Static<typeof read.WorkflowSchema>;
export type Series = Static<typeof read.SeriesSchema>;
export type Failures = Static<typeof read.FailuresSchema>;
export type Worker = Static<typeof read.WorkerSchema>;
export type Workers = Static<typeof read.WorkersSchema>;
export type WorkerEvents = Static<typeof read.WorkerEventsSchema>;
export type Events = Static<typeof read.EventsSchema>;
export type Queues = Static<typeof read.QueuesSchema>;
export type States = Static<typeof read.StatesSchema>;
export type Gaps = Static<typeof read.GapsSchema>;
export type Status = Static<typeof read.StatusSchema>;
export type CommandOutcome = Static<typeof control.CommandOutcomeSchema>;
export type Commands = Static<typeof control.CommandsSchema>;
export type TaskResult = Static<typeof control.TaskResultSchema>;
export type RetryPlan = Static<typeof control.RetryPlanSchema>;
export type Retried = Static<typeof control.RetriedSchema>;
export type Bulk = Static<typeof control.BulkSchema>;
export type Audit = Static<typeof control.AuditSchema>;
export type Me = Static<typeof control.MeSchema>;
export type Target = TargetBody;

/** Members of GET /tasks: lists as lists, instants and durations as the agent reads them (`now-1h`, `90s`). */
export type TaskFilter = Partial<TaskFilterQuery>;
export type TaskSortKey = 'timestamp' | 'name' | 'state' | 'received' | 'started' | 'runtime' | 'worker';

/** Every error of `/api/v1`. */
export interface ApiErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly field?: string };
}

/** What the live stream tells: a task after an event, a worker after one. */
export type { LiveMessage, LiveTask, LiveWorker } from '../../../agent/src/http/ports.ts';
