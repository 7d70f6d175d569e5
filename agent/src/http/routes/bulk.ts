import { Type } from 'typebox';
import { SIGNALS } from '../../core/control/commands.ts';
import type { BulkProgress } from '../../core/control/service.ts';
import { noteWrite } from '../audit.ts';
import { needControl, type Routes } from '../context.ts';
import { ACTS, ACTS_ONE, answers, told } from '../contract/answers.ts';
import { type BulkBody, BulkSchema, BulksSchema } from '../contract/control-schemas.ts';
import { given, toTaskFilter } from '../contract/filter.ts';
import { parameters, TaskFilterBody } from '../contract/parameters.ts';
import { ref } from '../contract/schemas.ts';
import { ApiProblem, badParameter } from '../errors.ts';

const tags = ['Control'];
const BulkId = Type.Object({ id: Type.String({ minLength: 1 }) });
const querystring = parameters({});

const startSchema = {
  tags,
  summary: 'Revoke or retry many tasks',
  description:
    'Those that the filter, the one of GET /tasks, finds. Nothing is done unless `dryRun` is false, nor where more match ' +
    'than `limit`. Answers at once; ask /bulk/{id} how far it is.',
  querystring,
  body: Type.Object(
    {
      action: Type.Enum(['revoke', 'retry']),
      filter: told(TaskFilterBody, { minProperties: 1 }),
      limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 1000, description: 'Most tasks that may be hit' }),
      dryRun: Type.Boolean({ default: true, description: 'Only list what would be hit' }),
      terminate: Type.Boolean({ default: false, description: 'Of revoke: end what runs, too' }),
      signal: Type.Optional(told(Type.String({ description: 'For `terminate`; default SIGTERM' }), { enum: SIGNALS })),
    },
    { additionalProperties: false },
  ),
  response: answers(ref(BulkSchema), 'How it stands', ACTS),
};
const listSchema = {
  ...{ tags, summary: 'Bulk actions of this agent', querystring },
  response: answers(ref(BulksSchema), 'The newest first', ACTS),
};
const oneSchema = {
  ...{ tags, summary: 'How a bulk action stands', params: BulkId, querystring },
  response: answers(ref(BulkSchema), 'How it stands', ACTS_ONE),
};
const cancelSchema = { ...oneSchema, summary: 'Stop a bulk action', description: 'What is done already stays done.' };

/** `/tasks/bulk`, `/bulk`, `/bulk/:id`. */
export const bulkRoutes: Routes = async (app, { deps }) => {
  const start = { access: 'editor', action: 'task.bulk' } as const;
  app.post('/tasks/bulk', { schema: startSchema, config: start }, async (request) => {
    const { action, filter, limit, dryRun, terminate, signal } = request.body;
    noteWrite(request, { target: `${action} by filter`, arguments: request.body });
    if (Object.keys(filter).length === 0) {
      throw badParameter('filter', '`filter` must narrow: an empty one would hit every task.');
    }
    const taskFilter = toTaskFilter(filter, deps.clock.now());
    const options = { action, filter: taskFilter, limit, dryRun, ...(terminate ? { terminate } : {}) };
    const progress = await needControl(deps).startBulk({ ...options, ...given({ signal }) });
    noteWrite(request, { detail: `${progress.id}: ${progress.matched} match, ${progress.state}` });
    return toBody(progress);
  });
  app.get('/bulk', { schema: listSchema, config: { access: 'viewer' } }, () => ({
    bulks: needControl(deps)
      .bulks()
      .map(toBody)
      .sort((a, b) => b.startedMs - a.startedMs),
  }));
  app.get('/bulk/:id', { schema: oneSchema, config: { access: 'viewer' } }, ({ params: { id } }) =>
    toBody(needControl(deps).bulk(id) ?? unknownBulk(id)),
  );
  const cancel = { access: 'editor', action: 'task.bulk_cancel' } as const;
  app.delete('/bulk/:id', { schema: cancelSchema, config: cancel }, ({ params: { id } }) =>
    toBody(needControl(deps).cancelBulk(id) ?? unknownBulk(id)),
  );
  await Promise.resolve();
};

function unknownBulk(id: string): never {
  throw new ApiProblem(404, 'bulk-not-found', `There is no bulk action '${id}'; they end with the agent.`, 'id');
}

function toBody(progress: BulkProgress): BulkBody {
  return { ...progress, tasks: progress.tasks.map((task) => ({ ...task })) };
}
