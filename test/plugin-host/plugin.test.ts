import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import type { CeleryWorker } from '../support/celery.ts';
import { runLoad, startCelery } from '../support/celery.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import type { PluginHost } from './host.testkit.ts';
import { startPluginHost, TOKEN } from './host.testkit.ts';

const PATIENCE_MS = 60_000;
jest.setTimeout(2 * PATIENCE_MS); // a page of 18 MB is parsed anew for each
const tasks = (more: object = {}) => ({
  view: 'panel',
  panel: 'tasks',
  targets: [{ refId: 'A', kind: 'tasks', ...more }],
});

/** What a user does with the built plugin, in a real browser. */
let host: PluginHost;
let brokerUrl: string;
let crowded: CeleryWorker;

/** Sends a task through the agent; resolves to its id. */
async function send(name: string, args: readonly unknown[], options: object = {}): Promise<string> {
  const response = await fetch(`${host.agent.url}/api/task/async-apply/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ args, ...options }),
  });
  return ((await response.json()) as { 'task-id': string })['task-id'];
}

async function reaches(taskId: string, state: string): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  await waitFor(
    async () =>
      (await (await fetch(`${host.agent.url}/api/v1/tasks/${taskId}`, { headers })).text()).includes(`"${state}"`),
    PATIENCE_MS,
    `${taskId} being ${state}`,
  );
}

/** Opens a view, waits for `first` to be there, and afterwards sees that nothing went wrong in the page. */
async function inView(
  user: string,
  view: Readonly<Record<string, unknown>>,
  first: (page: Page) => Locator,
  act: (page: Page) => Promise<void>,
): Promise<void> {
  const { page, errors } = await host.open(user, view);
  page.setDefaultTimeout(PATIENCE_MS);
  await first(page).first().waitFor();
  await act(page);
  expect(errors.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
  await page.context().close();
}

const rows = (page: Page): Locator => page.locator('[role="row"][aria-rowindex]:has([role="gridcell"])');
const row = (page: Page, taskId: string): Locator => rows(page).filter({ hasText: taskId });
const button = (page: Page, name: RegExp | string): Locator => page.getByRole('button', { name });

beforeAll(async () => {
  const redis = await startRedis();
  brokerUrl = `${redis.url}/0`;
  host = await startPluginHost(brokerUrl, { args: ['--result-backend', brokerUrl] });
  crowded = await startCelery({
    brokerUrl,
    name: 'crowded',
    queues: ['celery', 'emails'],
    pool: 'threads',
    concurrency: 4,
  });
  await runLoad('simple', { brokerUrl }, ['--tasks', '30']);
  await runLoad('failing', { brokerUrl }, ['--tasks', '7']);
}, 400_000);

describe('the built plugin', () => {
  it('searches', async () => {
    await inView('vera', tasks(), rows, async (page) => {
      await page.getByLabel('Search tasks').fill('state:FAILURE');
      await page.keyboard.press('Enter');
      await page.getByText(/^7 (of 7 )?tasks/).waitFor();
      expect(await rows(page).count()).toBe(7);
      expect(await rows(page).filter({ hasText: 'shop.fail' }).count()).toBe(7);
    });
  });

  it('shows new tasks as they come', async () => {
    await inView('vera', tasks({ live: true }), rows, async (page) => {
      await page.getByText('Live', { exact: true }).first().waitFor();
      const taskId = await send('shop.echo', ['hello']);
      await row(page, taskId).filter({ hasText: 'SUCCESS' }).waitFor();
    });
  });

  it('moves columns by drag and by key', async () => {
    await inView('vera', tasks(), rows, async (page) => {
      const titles = () => page.getByRole('columnheader').allInnerTexts();
      const place = async (title: string) => (await titles()).indexOf(title);
      expect([await place('State'), await place('Name')]).toEqual([2, 3]);
      const header = (name: string) => page.getByRole('columnheader').getByRole('button', { name, exact: true });
      const [from, to] = [await header('State').boundingBox(), await header('Name').boundingBox()];
      await page.mouse.move((from?.x ?? 0) + 20, (from?.y ?? 0) + 10);
      await page.mouse.down();
      await page.mouse.move((to?.x ?? 0) + (to?.width ?? 0) - 20, (to?.y ?? 0) + 10, { steps: 5 });
      await page.mouse.up();
      expect([await place('State'), await place('Name')]).toEqual([3, 2]);
      await header('State').press('Shift+ArrowLeft');
      expect([await place('State'), await place('Name')]).toEqual([2, 3]);
      expect(await page.locator(':focus').innerText()).toBe('State');
    });
  }, 120_000);

  it('revokes a task that waits, after asking', async () => {
    const taskId = await send('shop.sleep', [1], { countdown: 3600 });
    await reaches(taskId, 'RECEIVED');
    await inView(
      'edgar',
      tasks({ live: true }),
      (page) => row(page, taskId),
      async (page) => {
        await row(page, taskId).click();
        await page
          .getByRole('toolbar', { name: 'Actions on the task' })
          .getByRole('button', { name: 'Revoke' })
          .click();
        await page.getByRole('dialog', { name: 'Revoke the task' }).getByRole('button', { name: 'Revoke' }).click();
        await page
          .getByText('Answers of the workers')
          .or(page.getByText(/revoked/i))
          .first()
          .waitFor();
      },
    );
  }, 180_000);

  it('retries a failed task with other arguments', async () => {
    const taskId = await send('shop.fail', ['wrong address']);
    await reaches(taskId, 'FAILURE');
    await inView(
      'edgar',
      tasks({ live: true }),
      (page) => row(page, taskId),
      async (page) => {
        await row(page, taskId).click();
        await page.getByRole('toolbar', { name: 'Actions on the task' }).getByRole('button', { name: 'Retry' }).click();
        const dialog = page.getByRole('dialog', { name: /^Retry shop.fail/ });
        await dialog.locator('#retry-args').fill('["right address"]');
        await dialog
          .getByRole('button', { name: /send|retry/i })
          .last()
          .click();
        await dialog.getByText(/Sent to the queue/).waitFor();
      },
    );
    const headers = { authorization: `Bearer ${TOKEN}` };
    const found = `${host.agent.url}/api/v1/tasks?states=FAILURE&search=right`;
    await waitFor(async () => (await (await fetch(found, { headers })).text()).includes('right address'), PATIENCE_MS);
  }, 180_000);

  it('revokes many that a search finds, after a look at how many', async () => {
    const ids = await Promise.all(
      ['a', 'b', 'c'].map((letter) => send('shop.echo', [`bulk-${letter}`], { countdown: 3600 })),
    );
    for (const id of ids) await reaches(id, 'RECEIVED');
    await inView('edgar', tasks(), rows, async (page) => {
      await page.getByLabel('Search tasks').fill('args:bulk-');
      await page.keyboard.press('Enter');
      await page.getByText(/^3 (of 3 )?tasks/).waitFor();
      await page.getByLabel('Select all tasks shown').click();
      await button(page, 'Revoke…').click();
      const dialog = page.getByRole('dialog', { name: 'Revoke tasks' });
      await dialog.getByRole('button', { name: 'See what would be hit' }).click();
      await dialog.getByText(/3 task\(s\) would be hit/).waitFor();
      await dialog
        .getByRole('button', { name: /Revoke/ })
        .last()
        .click();
      await dialog.getByRole('button', { name: 'Close' }).last().waitFor();
    });
    const audit = await fetch(`${host.agent.url}/api/v1/audit`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await audit.text()).toContain('"login":"edgar"');
  }, 180_000);

  it('lets a viewer press nothing, and says why', async () => {
    await inView('vera', tasks(), rows, async (page) => {
      await rows(page).first().click();
      const toolbar = page.getByRole('toolbar', { name: 'Actions on the task' });
      for (const name of ['Revoke', 'Terminate', 'Retry'])
        expect(await toolbar.getByRole('button', { name }).getAttribute('aria-disabled')).toBe('true');
      await toolbar.getByRole('button', { name: 'Revoke' }).hover();
      await page.getByText('Needs the role Editor; you are Viewer.').first().waitFor();
    });
  }, 120_000);

  it('shuts a worker down, when an admin typed the word', async () => {
    const doomed = await startCelery({ brokerUrl, name: 'doomed', queues: ['reports'], pool: 'solo' });
    const view = { view: 'panel', panel: 'workers', targets: [{ refId: 'A', kind: 'workers', live: true }] };
    await inView(
      'ada',
      view,
      (page) => page.getByText(doomed.nodeName),
      async (page) => {
        await button(page, `Actions for ${doomed.nodeName}`).click();
        await page.getByRole('menuitem', { name: /Shut down/ }).click();
        const dialog = page.getByRole('dialog');
        expect(await dialog.getByRole('button', { name: 'Shut down' }).isEnabled()).toBe(false);
        await dialog.getByLabel(/Type "shutdown"/).fill('shutdown');
        await dialog.getByRole('button', { name: 'Shut down' }).click();
        await waitFor(() => !doomed.running(), PATIENCE_MS, 'the worker having ended');
      },
    );
    expect(crowded.running()).toBe(true);
  }, 240_000);

  it.each(['queues', 'failures'])(
    'shows %s',
    async (kind) => {
      const view = { view: 'panel', panel: kind, targets: [{ refId: 'A', kind }] };
      await inView(
        'vera',
        view,
        (page) => page.getByText(kind === 'queues' ? 'emails' : 'ValueError'),
        () => Promise.resolve(),
      );
    },
    120_000,
  );

  it('shows a workflow', async () => {
    await runLoad('chords', { brokerUrl }, ['--tasks', '4']);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const total = await (await fetch(`${host.agent.url}/api/v1/tasks?names=shop.total`, { headers })).text();
    const taskId = /"taskId":"([^"]+)"/.exec(total)?.[1] ?? '';
    const view = { view: 'panel', panel: 'workflow', targets: [{ refId: 'A', kind: 'workflow', taskId }] };
    await inView(
      'vera',
      view,
      (page) => page.getByText(/critical path/),
      () => Promise.resolve(),
    );
  }, 180_000);

  it('has a page that says how the agent stands', async () => {
    await inView(
      'vera',
      { view: 'app' },
      (page) => page.getByText(/^Connected/),
      async (page) => {
        await page.getByText(brokerUrl.slice(0, -2)).first().waitFor();
      },
    );
  }, 120_000);
});
