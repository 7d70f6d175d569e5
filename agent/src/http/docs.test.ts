import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { apiMarkdown, type OpenApiDocument } from './docs.ts';

const document = JSON.parse(readFileSync(new URL('./openapi.json', import.meta.url), 'utf8')) as OpenApiDocument;

describe('docs/api.md', () => {
  it('has one row for every operation, and every parameter', () => {
    const page = apiMarkdown(document);
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        const rows = page.split('\n').filter((line) => line.startsWith(`| ${method.toUpperCase()} | \`${path}\` |`));
        expect([path, rows.length]).toEqual([path, 1]);
        for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
          expect(rows[0]).toMatch(new RegExp(`\`${name}[=\`]`));
          expect(page).toContain(`\n| \`${name}\` |`);
        }
      }
    }
    expect(page).toMatch(/`\/api\/tasks` \| List tasks\. [^|]+ \| `limit`, `offset`, /);
  });
});
