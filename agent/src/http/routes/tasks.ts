import { Type } from 'typebox';
import { findWorkflow, type GroupsOf } from '../../core/query/workflow.ts';
import { needHistory, type Routes } from '../context.ts';
import { answers, READS, READS_ONE } from '../contract/answers.ts';
import { toApiTask, toApiTaskEvent } from '../contract/convert.ts';
import { toSort, toTaskFilter } from '../contract/filter.ts';
import { limit, parameters, sortParameters, taskFilterParameters } from '../contract/parameters.ts';
import { ref, TaskDetailSchema, TaskPageSchema, TimelineSchema, WorkflowSchema } from '../contract/schemas.ts';
import { ApiProblem } from '../errors.ts';

const tags = ['Tasks'];
const TaskId = Type.Object({ taskId: Type.String({ minLength: 1 }) });

/** `total` stops counting here: an exact count of millions is not worth its scan. */
const COUNT_LIMIT = 10_000;

const searchSchema = {
  tags,
  summary: 'Search tasks',
  description: 'Every parameter given narrows; the values of one list widen. Page with `cursor`.',
  querystring: parameters({
    ...taskFilterParameters,
    ...sortParameters,
    limit: limit(1000, 100),
    cursor: Type.Optional(Type.String({ minLength: 1, description: '`nextCursor` of the page before' })),
    count: Type.Boolean({ default: false, description: `Count the matches too, up to ${COUNT_LIMIT}` }),
  }),
  response: answers(ref(TaskPageSchema), 'One page', READS),
};

const detailSchema = {
  tags,
  summary: 'One task',
  params: TaskId,
  querystring: parameters({}),
  response: answers(ref(TaskDetailSchema), 'The task', READS_ONE),
};

const timelineSchema = {
  tags,
  summary: 'Every event of a task',
  description: 'In the order of attempts, then of the workers’ clocks.',
  params: TaskId,
  querystring: parameters({ limit: limit(10_000, 1000) }),
  response: answers(ref(TimelineSchema), 'The events', READS_ONE),
};

const workflowSchema = {
  tags,
  summary: 'Every task of a workflow',
  description:
    'Celery makes each task of a group or chord that was sent by itself a root of its own. They are joined by the group ' +
    'that their stored results name, which takes a result backend on Redis (`--result-backend`) that still holds them.',
  params: Type.Object({
    rootId: Type.String({ minLength: 1, description: 'Of its root, or of any other of its tasks' }),
  }),
  querystring: parameters({ limit: limit(10_000, 1000) }),
  response: answers(ref(WorkflowSchema), 'The tasks', READS_ONE),
};

/** `/tasks`, `/tasks/:taskId`, its timeline, and `/workflows/:rootId`. */
export const taskRoutes: Routes = async (app, { deps }) => {
  app.get('/tasks', { schema: searchSchema }, async ({ query }) => {
    const history = needHistory(deps);
    const filter = toTaskFilter(query, deps.clock.now());
    const [page, found] = await Promise.all([
      history.searchTasks(filter, toSort(query), query.limit, query.cursor),
      query.count ? history.countTasks(filter, COUNT_LIMIT + 1) : undefined,
    ]);
    const count = found === undefined ? {} : { total: Math.min(found, COUNT_LIMIT), totalExact: found <= COUNT_LIMIT };
    return { tasks: page.tasks.map(toApiTask), nextCursor: page.nextCursor ?? null, ...count };
  });

  app.get('/tasks/:taskId', { schema: detailSchema }, async ({ params: { taskId } }) => {
    const history = needHistory(deps);
    const [task, children] = await Promise.all([history.findTask(taskId), history.childrenOf([taskId])]);
    if (task === undefined) throw unknownTask(taskId);
    return { ...toApiTask(task), children: children.get(taskId) ?? [] };
  });

  app.get('/tasks/:taskId/timeline', { schema: timelineSchema }, async ({ params: { taskId }, query }) => {
    const events = await needHistory(deps).taskTimeline(taskId, query.limit);
    if (events.length === 0) throw unknownTask(taskId);
    return { taskId, events: events.map(toApiTaskEvent) };
  });

  app.get('/workflows/:rootId', { schema: workflowSchema }, async ({ params: { rootId: asked }, query }) => {
    const history = needHistory(deps);
    // Events of the root itself may not have been heard; its tasks still name it.
    const rootId = (await history.findTask(asked))?.rootId ?? asked;
    const groupsOf: GroupsOf = async (taskIds) => deps.control?.groupsOf(taskIds);
    const { groups, tasks, ...found } = await findWorkflow(history, groupsOf, rootId, query.limit);
    if (tasks.length === 0) {
      throw new ApiProblem(404, 'workflow-not-found', `No task of a workflow '${asked}' is in the history.`, 'rootId');
    }
    const joined = groups.map(({ groupId, taskIds }) => ({ groupId, taskIds: [...taskIds] }));
    return { rootId, tasks: tasks.map(toApiTask), groups: joined, ...found };
  });
  await Promise.resolve();
};

function unknownTask(taskId: string): ApiProblem {
  return new ApiProblem(404, 'task-not-found', `No task '${taskId}' is in the history.`, 'taskId');
}
