import type { DataQuery } from '@grafana/schema';
import type { TaskSortKey } from '../shared/api';

/**
 * Saved queries. Every text may hold template variables; lists are texts with one entry each, and an entry may be a
 * variable with several values. `version` tells which reader a saved query needs (see migrate.ts).
 */
interface Common extends DataQuery {
  readonly version?: 1;
}

/** Which tasks; all members narrow. Names and workers may have `*`. */
export interface TaskFilterFields {
  readonly names?: string[];
  readonly states?: string[];
  readonly workers?: string[];
  readonly queues?: string[];
  readonly exceptionTypes?: string[];
  readonly fingerprint?: string;
  readonly rootId?: string;
  readonly parentId?: string;
  /** Flower's search syntax, e.g. `state:FAILURE name:import` or any text. */
  readonly search?: string;
  /** `90s`, `5m`, or milliseconds */
  readonly runtimeMin?: string;
  readonly runtimeMax?: string;
  /** Those that nobody works on any more */
  readonly orphaned?: boolean;
}

export interface TasksQuery extends Common {
  readonly kind: 'tasks';
  readonly filter?: TaskFilterFields;
  readonly sort?: TaskSortKey;
  readonly order?: 'asc' | 'desc';
  /** Rows, up to 10,000; default 1,000 */
  readonly limit?: number;
  /** Keep the answer current from the live stream */
  readonly live?: boolean;
}

export interface TaskQuery extends Common {
  readonly kind: 'task';
  readonly taskId?: string;
  readonly show?: 'detail' | 'timeline';
}

export interface SeriesQuery extends Common {
  readonly kind: 'series';
  readonly filter?: TaskFilterFields;
  readonly columns?: Array<'count' | 'rate' | 'p50' | 'p95' | 'p99'>;
  readonly by?: Array<'name' | 'worker' | 'queue' | 'state'>;
  /** Whole minutes, e.g. `5m`; default by the panel's width */
  readonly step?: string;
  /** Most series; the rest is left out with a notice. Default 50 */
  readonly limit?: number;
  /** Name of the series; `{{name}}`, `{{state}}` … are its labels, `{{column}}` what is counted. Default by itself */
  readonly legend?: string;
}

export interface FailuresQuery extends Common {
  readonly kind: 'failures';
  readonly filter?: TaskFilterFields;
  readonly limit?: number;
}

export interface WorkersQuery extends Common {
  readonly kind: 'workers';
  readonly workers?: string[];
  readonly live?: boolean;
}

export interface WorkerQuery extends Common {
  readonly kind: 'worker';
  readonly hostname?: string;
  readonly show?:
    'detail' | 'events' | 'active' | 'reserved' | 'scheduled' | 'registered' | 'queues' | 'stats' | 'conf';
}

export interface QueuesQuery extends Common {
  readonly kind: 'queues';
  readonly queues?: string[];
}

export interface WorkflowQuery extends Common {
  readonly kind: 'workflow';
  /** Id of any task of the workflow */
  readonly taskId?: string;
  readonly show?: 'table' | 'graph' | 'trace';
}

export interface EventsQuery extends Common {
  readonly kind: 'events';
  /** Of tasks and workers; events know names, states, workers alone */
  readonly filter?: Pick<TaskFilterFields, 'names' | 'states' | 'workers'>;
  /** On the wire, e.g. `task-failed`, `worker-heartbeat` */
  readonly types?: string[];
  readonly taskId?: string;
  /** Anywhere in the event */
  readonly text?: string;
  readonly limit?: number;
  readonly live?: boolean;
}

export interface AuditQuery extends Common {
  readonly kind: 'audit';
  readonly user?: string;
  readonly actions?: string[];
  readonly outcomes?: string[];
  readonly target?: string;
  readonly limit?: number;
}

export interface GapsQuery extends Common {
  readonly kind: 'gaps';
}

/** How the agent stands: one row. */
export interface StatusQuery extends Common {
  readonly kind: 'status';
}

/** Marks in time for dashboards: what was going on. */
export interface AnnotationsQuery extends Common {
  readonly kind: 'annotations';
  /** Workers that came and went, bursts of failures, times without events, what users did (admins alone see it) */
  readonly show?: 'workers' | 'failures' | 'gaps' | 'actions';
}

export type CeleryQuery =
  | TasksQuery
  | TaskQuery
  | SeriesQuery
  | FailuresQuery
  | WorkersQuery
  | WorkerQuery
  | QueuesQuery
  | WorkflowQuery
  | EventsQuery
  | AuditQuery
  | GapsQuery
  | StatusQuery
  | AnnotationsQuery;

export type QueryKind = CeleryQuery['kind'];
export type QueryOf<Kind extends QueryKind> = Extract<CeleryQuery, { kind: Kind }>;
