import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@grafana/plugin-e2e';

const folder = join(import.meta.dirname, '../../dashboards');
const dashboards = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Board);

interface Board {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly { readonly type: string; readonly title: string }[];
}

for (const { uid, title, panels } of dashboards) {
  test(`${title}: no panel has an error`, async ({ page }) => {
    await page.goto(`/d/${uid}?kiosk`);
    const first = panels.find((panel) => panel.type !== 'row');
    await expect(page.getByTestId(`data-testid Panel header ${first?.title ?? ''}`)).toBeVisible();
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0);
    await expect(page.getByText('An unexpected error happened')).toHaveCount(0);
  });
}

test('the page of the app says how the agent stands', async ({ page }) => {
  await page.goto('/a/umbel-celery-app');
  await expect(page.getByText(/^(Connected|Demo)/).first()).toBeVisible();
});
