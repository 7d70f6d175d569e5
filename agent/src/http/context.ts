import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ControlService } from '../core/control/service.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import { controlOff, historyOff } from './errors.ts';
import type { LiveSeats } from './live/seats.ts';
import type { HttpSettings } from './options.ts';
import type { HttpDeps } from './ports.ts';

/** What every group of routes is handed. */
export interface RouteContext {
  readonly deps: HttpDeps;
  readonly settings: HttpSettings;
  readonly seats: LiveSeats;
}

export type Routes = FastifyPluginAsyncTypebox<RouteContext>;

/** @throws ApiProblem 503 `history-off` */
export function needHistory(deps: HttpDeps): HistoryReader {
  if (deps.history === undefined) throw historyOff();
  return deps.history;
}

/** @throws ApiProblem 503 `control-off` */
export function needControl(deps: HttpDeps): ControlService {
  if (deps.control === undefined) throw controlOff();
  return deps.control;
}
