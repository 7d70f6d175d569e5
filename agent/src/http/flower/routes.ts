import type { FastifyPluginAsync } from 'fastify';
import type { RouteContext } from '../context.ts';
import { routeAdder } from './add-route.ts';
import { sendFlowerError } from './answer.ts';
import { flowerReads } from './reads.ts';
import { takeAnyBody } from './requests.ts';
import { taskWrites } from './task-writes.ts';
import { taskControlWrites, workerWrites } from './worker-writes.ts';

export interface FlowerContext extends RouteContext {
  /** Left out of the OpenAPI document, where the same routes stand at another place. */
  readonly hidden?: boolean;
}

/**
 * Flower 2.2's whole API, byte for byte. Where Flower wants FLOWER_UNAUTHENTICATED_API or a login for `/api/*`, the
 * roles of access.ts hold.
 */
export const flowerRoutes: FastifyPluginAsync<FlowerContext> = async (app, context) => {
  app.setErrorHandler((error, _request, reply) => sendFlowerError(context.deps, error, reply));
  takeAnyBody(app);
  const add = routeAdder(app, context.hidden ?? false);
  for (const group of [flowerReads, workerWrites, taskControlWrites, taskWrites]) group(add, context);
  await Promise.resolve();
};
