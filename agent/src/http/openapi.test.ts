import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { buildServer } from './server.ts';
import { testDeps } from './testing/deps.testkit.ts';

let app: FastifyInstance;
beforeAll(async () => {
  app = await buildServer(testDeps());
});

interface Acting {
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<'application/json', { readonly schema: { readonly required?: string[] } }>>;
  };
  readonly responses: Readonly<Record<string, object>>;
}

interface Operation {
  readonly summary: string;
  readonly responses: object;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
}

describe('the API', () => {
  it('has a summary and every answer in the OpenAPI document, which is the one in the repository', async () => {
    const got = await app.inject('/api/v1/openapi.json');
    const document = JSON.parse(got.body) as { openapi: string; paths: Record<string, Record<string, Operation>> };
    const golden = new URL('./openapi.json', import.meta.url);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(document, null, 2)}\n`);
    expect(document).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => [path, operation] as const),
    );
    for (const [path, operation] of operations) {
      expect([path, operation.summary]).toEqual([path, expect.stringMatching(/\w/)]);
      expect([path, Object.keys(operation.responses)]).toEqual([path, expect.arrayContaining(['200'])]);
    }
    const required = operations.flatMap(([, operation]) =>
      (operation.parameters ?? []).filter((one) => one.required === true && one.in === 'query'),
    );
    expect(required.map(({ name }) => name)).toEqual(['ids', 'ids']); // of query_task
  });

  it('asks in the document for no body member that has a default, and calls an answer of Flower an object', async () => {
    const document = (await app.inject('/api/v1/openapi.json')).json<{
      paths: Record<string, Record<string, Acting>>;
    }>();
    const bodyOf = (path: string) => document.paths[`/api/v1${path}`]?.['post']?.requestBody;
    const grow = bodyOf('/workers/{hostname}/actions/pool_grow');
    expect([grow?.required, grow?.content['application/json'].schema.required]).toEqual([false, undefined]);
    const bulk = bodyOf('/tasks/bulk');
    expect([bulk?.required, bulk?.content['application/json'].schema.required]).toEqual([true, ['action', 'filter']]);
    for (const path of ['/api/tasks', '/api/task/types', '/api/workers']) {
      expect(document.paths[path]?.['get']?.responses['200']).toMatchObject({
        content: { 'application/json': { schema: { type: 'object' } } },
      });
    }
  });
});
