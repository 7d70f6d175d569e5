import { type TSchema, Type } from 'typebox';
import { ApiErrorSchema, ref } from './schemas.ts';

const MEANINGS = {
  400: 'A parameter is wrong or unknown; `error.field` names it',
  404: 'There is no such thing',
  409: 'It cannot be done: `not-retryable`, `no-backend`',
  422: 'More is asked for than allowed; `error.field` names what to narrow',
  503: 'History, broker or result backend is off (`history-off`, `control-off`) or does not answer; try again later',
  504: 'The query ran into its time limit',
} as const;

type Failure = keyof typeof MEANINGS;

/** The schema with the description that an answer of OpenAPI must have. */
export function described<T extends TSchema>(schema: T, description: string): T {
  return { ...schema, description };
}

/** A body that is no JSON; `openapi.ts` shows it under its media types. */
export function textOf(description: string, ...mediaTypes: readonly string[]) {
  return Type.String({ description, 'x-media-types': mediaTypes });
}

const REFUSED =
  'Refused before the route is asked: not logged in (401), role too low or read only (403), body too large (413), URL ' +
  'longer than 8192 characters (414), body no JSON (415), too many attempts (429), headers too large (431)';

/** The `response` part of a route's schema: what 200 carries, and every failure it may answer with. */
export function answers<T extends TSchema, F extends Failure>(ok: T, description: string, failures: readonly F[]) {
  const error = ref(ApiErrorSchema);
  const failed = Object.fromEntries(failures.map((status) => [status, described(error, MEANINGS[status])]));
  return {
    200: described(ok, description),
    '4xx': described(error, REFUSED),
    ...(failed as Record<F, typeof error>),
  };
}

/**
 * The schema with what only the document tells of it: the route itself checks that, with words of its own. `more` are
 * keywords of JSON Schema.
 */
export function told<T extends TSchema>(schema: T, more: Readonly<Record<string, unknown>>): T {
  return { ...schema, [TOLD]: more };
}

/** Keyword of `told`; `openapi.ts` puts its members in its place. */
export const TOLD = 'x-told';

/** What a route that reads the history may fail with. */
export const READS = [400, 503, 504] as const;
export const READS_ONE = [400, 404, 503, 504] as const;
/** What a route that acts on the cluster may fail with. */
export const ACTS = [400, 404, 409, 422, 503] as const;
export const ACTS_ONE = [400, 404, 409, 503, 504] as const;
