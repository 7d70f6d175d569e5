#!/usr/bin/env node
/** `npm run e2e`: test/e2e against the Grafana at GRAFANA_URL. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
if (process.env.GRAFANA_URL === undefined) {
  console.log('SKIPPED: GRAFANA_URL is not set, so no Grafana was tested.');
} else {
  const cli = join(ROOT, 'node_modules/@playwright/test/cli.js');
  const args = [cli, 'test', '-c', 'test/e2e/playwright.config.ts', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}
