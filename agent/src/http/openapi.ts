import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { TOLD } from './contract/answers.ts';

const TAGS = [
  { name: 'Tasks', description: 'Search, one task, its events, its workflow, export' },
  { name: 'Analysis', description: 'Series, failure groups, gaps' },
  { name: 'Workers', description: 'Workers and their events' },
  { name: 'Control', description: 'Commands to workers, new tasks, retries, results' },
  { name: 'Audit', description: 'Who you are, and who did what' },
  { name: 'Lists', description: 'What to choose from' },
  { name: 'Live', description: 'Changes as they happen' },
  { name: 'Agent', description: 'How the agent itself stands' },
  { name: 'Flower', description: "Flower 2.2's whole API, as it is there" },
];

/** How the OpenAPI 3.1 document is made from the routes' schemas. */
export const swaggerOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Umbel agent',
      version: '1',
      description: 'What happens in a Celery cluster. Instants (`…Ms`) are epoch milliseconds, durations milliseconds.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: TAGS,
  },
  refResolver: {
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json.$id === 'string' ? json.$id : `def-${index}`,
  },
  transform: ({ schema: given, url }) => {
    const schema = withTold(given) as typeof given;
    // Flower's ids may hold slashes, so the route is a wildcard; the document has no word for one.
    if (!url.endsWith('/*')) return { schema, url };
    const name = /\/worker\//.test(url)
      ? 'worker'
      : /apply|send-task|rate-limit|timeout/.test(url)
        ? 'taskName'
        : 'taskId';
    const params = { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] };
    return { schema: { ...schema, params }, url: `${url.slice(0, -1)}:${name}` };
  },
  transformObject: (document) => {
    if (!('openapiObject' in document)) throw new Error('the document is not OpenAPI 3');
    relaxDefaults(document.openapiObject);
    nameMediaTypes(document.openapiObject);
    return document.openapiObject;
  },
};

/** A copy in which what `told` added stands beside the rest. */
function withTold(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withTold);
  if (typeof node !== 'object' || node === null) return node;
  const { [TOLD]: more, ...rest } = node as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ ...rest, ...(more as object) }).map(([key, value]) => [key, withTold(value)]),
  );
}

/** A parameter or body member with a default is never required of the client, though the handler always finds it. */
function relaxDefaults(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('in' in node && 'required' in node && 'schema' in node) {
    const { schema } = node;
    if (typeof schema === 'object' && schema !== null && 'default' in schema) node.required = false;
  }
  if ('requestBody' in node) relaxBody(node.requestBody as RequestBody);
  for (const child of Object.values(node)) relaxDefaults(child);
}

interface BodySchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

interface RequestBody {
  required?: boolean;
  readonly content: Record<string, { schema?: BodySchema }>;
}

/** A body of which nothing is required may be left out. */
function relaxBody(body: RequestBody): void {
  for (const media of Object.values(body.content)) {
    const { properties = {}, required = [], ...schema } = media.schema ?? {};
    const needed = required.filter((name) => !('default' in (properties[name] ?? {})));
    media.schema = { ...schema, properties, ...(needed.length > 0 && { required: needed }) };
    body.required = needed.length > 0;
  }
}

/** A text answer stands under `application/json` until here; moves it to the types its schema names. */
function nameMediaTypes(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('content' in node) {
    const content = node.content as Record<string, { schema?: { 'x-media-types'?: readonly string[] } }>;
    const types = content['application/json']?.schema?.['x-media-types'];
    if (types !== undefined)
      node.content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
  }
  for (const child of Object.values(node)) nameMediaTypes(child);
}
