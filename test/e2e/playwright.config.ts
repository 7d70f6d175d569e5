import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { defineConfig } from '@playwright/test';

const { GRAFANA_URL, CHROMIUM } = process.env;
const auth = `${dirname(createRequire(import.meta.url).resolve('@grafana/plugin-e2e'))}/auth`;

export default defineConfig({
  timeout: 240_000,
  expect: { timeout: 90_000 },
  reporter: 'list',
  outputDir: '../../node_modules/.cache/umbel/e2e',
  use: {
    ...(GRAFANA_URL !== undefined && { baseURL: GRAFANA_URL }),
    viewport: { width: 1500, height: 1200 },
    launchOptions: { executablePath: CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'login', testDir: auth, testMatch: [/.*\.js/] },
    {
      name: 'plugin',
      testDir: '.',
      testMatch: [/.*\.spec\.ts/],
      use: { storageState: 'playwright/.auth/admin.json' },
      dependencies: ['login'],
    },
  ],
});
