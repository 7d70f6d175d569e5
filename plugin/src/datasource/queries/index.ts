import type { CeleryQuery, QueryKind } from '../query';
import { annotationsKind } from './annotations/request';
import { auditKind } from './audit/request';
import { eventsKind } from './events/request';
import { failuresKind } from './failures/request';
import { gapsKind } from './gaps/request';
import type { Kind } from './kind';
import { queuesKind } from './queues/request';
import { seriesKind } from './series/request';
import { statusKind } from './status/request';
import { taskKind } from './task/request';
import { tasksKind } from './tasks/kind';
import { workerKind } from './worker/request';
import { workersKind } from './workers/request';
import { workflowKind } from './workflow/request';

const KINDS: { readonly [K in QueryKind]: Kind<K> } = {
  tasks: tasksKind,
  task: taskKind,
  series: seriesKind,
  failures: failuresKind,
  workers: workersKind,
  worker: workerKind,
  queues: queuesKind,
  workflow: workflowKind,
  events: eventsKind,
  audit: auditKind,
  gaps: gapsKind,
  status: statusKind,
  annotations: annotationsKind,
};

/** The kind of a query, which is one of its own kind: the type of the table says so, that of the look-up cannot. */
export function kindOf(query: CeleryQuery): Kind<QueryKind> {
  return KINDS[query.kind] as unknown as Kind<QueryKind>;
}
