import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { runLoad, startCelery } from '../support/celery.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { type PluginHost, startPluginHost, TOKEN } from './host.testkit.ts';

const PATIENCE_MS = 90_000;
jest.setTimeout(2 * PATIENCE_MS);

/** The same bundle as in plugin.test.ts, with the packages of Grafana 13: React 19. */
let host: PluginHost;
let workflowId: string;
const opened: Page[] = [];

async function open(user: string, view: Readonly<Record<string, unknown>>): Promise<{ page: Page; errors: string[] }> {
  const { page, errors } = await host.open(user, view);
  page.setDefaultTimeout(PATIENCE_MS);
  opened.push(page);
  return { page, errors };
}

const panel = (kind: string, query: object = {}) => ({
  view: 'panel',
  panel: kind,
  targets: [{ refId: 'A', kind, ...query }],
});

async function ask(path: string): Promise<string> {
  const response = await fetch(`${host.agent.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return response.text();
}

beforeAll(async () => {
  const redis = await startRedis();
  const brokerUrl = `${redis.url}/0`;
  host = await startPluginHost(brokerUrl, { args: ['--result-backend', brokerUrl], react: 19 });
  await startCelery({ brokerUrl, name: 'w', queues: ['celery', 'emails'], pool: 'threads', concurrency: 4 });
  await runLoad('failing', { brokerUrl }, ['--tasks', '5']);
  await runLoad('chords', { brokerUrl }, ['--tasks', '4']);
  await waitFor(async () => (await ask('tasks?names=shop.total')).includes('taskId'), PATIENCE_MS, 'a chord');
  workflowId = /"taskId":"([^"]+)"/.exec(await ask('tasks?names=shop.total'))?.[1] ?? '';
}, 400_000);

afterEach(async () => {
  for (const page of opened.splice(0)) await page.context().close();
});

describe('the built plugin under React 19', () => {
  it('shows tasks, one of them, and asks before it is sent again', async () => {
    const { page, errors } = await open('edgar', panel('tasks', { live: true }));
    await page.getByText('Live', { exact: true }).first().waitFor();
    expect(await page.evaluate('window.reactVersion')).toMatch(/^19\./);
    await page.getByRole('gridcell').filter({ hasText: 'shop.fail' }).first().click();
    const actions = page.getByRole('toolbar', { name: 'Actions on the task' });
    await actions.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('dialog', { name: /^Retry shop.fail/ }).waitFor();
    expect(errors).toEqual([]);
  });

  it.each([
    ['workers', /^w@/],
    ['queues', 'emails'],
    ['failures', 'ValueError'],
  ])('shows %s', async (kind, text) => {
    const { page, errors } = await open('vera', panel(kind));
    await page.getByText(text).first().waitFor();
    expect(errors).toEqual([]);
  });

  it('shows a workflow', async () => {
    const { page, errors } = await open('vera', panel('workflow', { taskId: workflowId }));
    await page
      .getByText(/critical path/)
      .first()
      .waitFor();
    expect(errors).toEqual([]);
  });

  it('edits a query and has a page of its own', async () => {
    const editor = await open('vera', { view: 'editor', targets: [{ refId: 'A', kind: 'tasks' }] });
    await editor.page.getByText('Task names').first().waitFor();
    const app = await open('vera', { view: 'app' });
    await app.page.getByText(/^Connected/).waitFor();
    expect([...editor.errors, ...app.errors]).toEqual([]);
  });
});
