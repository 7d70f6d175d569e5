import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { badParameter } from '../errors.ts';
import { TOLD, told } from './answers.ts';
import { DURATION_PATTERN, INSTANT_PATTERN } from './time.ts';

/** Query parameters of `/api/v1`. Anything not named in a route's object is a 400. */

/** Most entries of a list; of ids as many as a bulk action takes. */
const MOST_ENTRIES = 500;
const MOST_IDS = 10_000;

const list = (description: string, maxItems = MOST_ENTRIES) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      maxItems,
      description: `${description}; repeat it or use commas`,
    }),
  );
const text = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description });
const optionalText = (description: string) => Type.Optional(text(description));

/** Instants as `parseInstant` takes them. */
export const instantText = (description: string) =>
  Type.Optional(told(text(description), { pattern: INSTANT_PATTERN }));
/** Durations as `parseDuration` takes them. */
export const durationText = (description: string) =>
  Type.Optional(told(text(description), { pattern: DURATION_PATTERN }));

const INSTANT = 'epoch ms, RFC 3339, or `now-1h`';
const DURATION = '`90s`, `5m`, `1h`, or milliseconds';

export const fromTo = {
  from: instantText(`Inclusive: ${INSTANT}`),
  to: instantText(`Exclusive: ${INSTANT}`),
};

export const limit = (most: number, usual: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: usual, description: `Most of them, up to ${most}` });

/** What must not be: lists as their namesakes without `not`. What is not known of a task, it is not. */
export const notParameters = {
  notNames: list('No task with such a name'),
  notStates: list('No task in such a state'),
  notWorkers: list('No task of such a worker'),
  notQueues: list('No task of such a queue'),
  notExceptionTypes: list('No task with such an exception'),
};

/** Parameters that make a `TaskFilter`. */
export const taskFilterParameters = {
  ids: list('Task ids', MOST_IDS),
  names: list('Task names; `app.*` and `*.add` are patterns'),
  states: list('States, e.g. FAILURE'),
  workers: list('Node names of workers; `celery@web*` is a pattern'),
  queues: list('Queues; `mail.*` is a pattern'),
  rootId: optionalText('Tasks of this workflow'),
  parentId: optionalText('Tasks published by this one'),
  exceptionTypes: list('Exception classes, e.g. ValueError; `*Error` is a pattern'),
  ...notParameters,
  fingerprint: optionalText('Of a failure group'),
  ...fromTo,
  receivedFrom: instantText(`On task-received, inclusive: ${INSTANT}`),
  receivedTo: instantText(`On task-received, inclusive: ${INSTANT}`),
  runtimeMin: durationText(`Inclusive: ${DURATION}`),
  runtimeMax: durationText(`Inclusive: ${DURATION}`),
  args: optionalText('Text within the arguments, any case'),
  kwargs: optionalText('Text within the keyword arguments, any case'),
  result: optionalText('Text within the result, any case'),
  exception: optionalText('Text within the exception, any case'),
  orphaned: Type.Optional(Type.Boolean({ description: 'Whether nobody works on it any more: its worker is gone' })),
  healed: Type.Optional(Type.Boolean({ description: 'Whether its state was read elsewhere than in an event' })),
  search: optionalText("Flower's search syntax, e.g. `state:FAILURE name:import`"),
};

export const sortParameters = {
  sort: Type.Enum(['timestamp', 'name', 'state', 'received', 'started', 'runtime', 'worker'], {
    default: 'timestamp',
    description: 'Ties are broken by task id',
  }),
  order: Type.Enum(['asc', 'desc'], { default: 'desc' }),
};

/** Parameters that make a `LiveFilter`. */
export const liveParameters = {
  kinds: Type.Optional(
    Type.Array(Type.Enum(['task', 'worker']), { description: 'Kinds of messages; repeat it or use commas' }),
  ),
  names: list('Task names; `app.*` and `*.add` are patterns'),
  states: list('States after the event'),
  workers: list('Node names of workers'),
  queues: list('Queues'),
  taskId: optionalText('One task'),
};

/** A query object that refuses what it does not name. */
export function parameters<T extends TProperties>(properties: T) {
  const entries = Object.entries(properties).map(([name, schema]) => [name, withCommas(schema)]);
  return Type.Object(Object.fromEntries(entries) as T, { additionalProperties: false });
}

/** An entry of a list of texts as it stands in a query, where commas part entries and none may be empty. */
export const COMMA_ENTRY = '^[^,]+(,[^,]+)*$';

function withCommas(schema: TSchema): TSchema {
  const { items } = schema as { readonly items?: { readonly type?: string; readonly enum?: unknown } };
  if (items?.type !== 'string' || items.enum !== undefined || TOLD in schema) return schema;
  const shown = told(schema, { items: { ...items, pattern: COMMA_ENTRY } });
  return Type.IsOptional(schema) ? Type.Optional(shown) : shown;
}

/** The members of a filter as a body has them. */
export const TaskFilterBody = Type.Object(taskFilterParameters, { additionalProperties: false });
export type TaskFilterQuery = Static<typeof TaskFilterBody>;
export const SortQuery = parameters(sortParameters);
export type SortQuery = Static<typeof SortQuery>;
export const LiveQuery = parameters(liveParameters);
export type LiveQuery = Static<typeof LiveQuery>;

/**
 * Turns what the URL carries into what the schema asks for: a parameter of array type becomes a list, whether it was
 * repeated or written with commas.
 *
 * @throws ApiProblem 400 for a parameter that takes one value and was given several
 */
export function spreadLists(query: Record<string, unknown>, properties: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(query)) {
    const schema = properties[name];
    if (typeof schema !== 'object' || schema === null) continue;
    if (!('type' in schema) || schema.type !== 'array') {
      if (Array.isArray(value)) throw badParameter(name, `\`${name}\` must be given once.`);
      continue;
    }
    query[name] = [value].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : [text]));
  }
}
