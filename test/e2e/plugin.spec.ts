import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@grafana/plugin-e2e';
import type { Page } from '@playwright/test';

const folder = join(import.meta.dirname, '../../dashboards');
const dashboards = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Board);

/** So high that Grafana draws every panel of a dashboard, which it else does once they are in sight. */
const WHOLE = { width: 1500, height: 3500 };

interface Board {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly { readonly type: string; readonly title: string }[];
}

for (const { uid, title, panels } of dashboards) {
  test(`${title}: no panel has an error`, async ({ page }) => {
    await page.setViewportSize(WHOLE);
    await page.goto(`/d/${uid}?kiosk`);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      await expect(page.getByTestId(`data-testid Panel header ${panel.title}`).first()).toBeVisible();
    }
    // Not the network: the live stream keeps it busy for as long as the page is open.
    await expect(page.getByLabel('Panel loading bar')).toHaveCount(0);
    await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0);
    await expect(page.getByText('An unexpected error happened')).toHaveCount(0);
  });
}

test('the page of the app says how the agent stands', async ({ page }) => {
  await page.goto('/a/umbel-celery-app');
  await expect(page.getByText(/^(Connected|Demo)/).first()).toBeVisible();
});

test('the test of the data source finds the agent', async ({ page }) => {
  await page.goto(`/connections/datasources/edit/${await uidOfSource(page)}`);
  await page.getByRole('button', { name: /^(Save & test|Test)$/ }).click();
  await expect(page.getByTestId('data-testid Alert success')).toBeVisible();
});

test('a task opens by key, and the focus comes back to it', async ({ page }) => {
  await page.goto('/d/umbel-tasks?kiosk&from=now-24h&to=now');
  const table = page.getByRole('grid', { name: 'Tasks' });
  await expect(table.getByRole('row').nth(1)).toBeVisible();
  await table.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('toolbar', { name: 'Actions on the task' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('toolbar', { name: 'Actions on the task' })).toHaveCount(0);
  await expect(table).toBeFocused();
});

async function uidOfSource(page: Page): Promise<string> {
  const sources = (await (await page.request.get('/api/datasources')).json()) as { uid: string; type: string }[];
  return sources.find(({ type }) => type === 'umbel-celery-datasource')?.uid ?? '';
}
