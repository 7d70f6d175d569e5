import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { closeAtEnd } from './cleanup.ts';

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** A real Chromium without a window, from the distribution; closed at the end of the test file. */
export async function startBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath: PROGRAM ?? 'chromium', args });
  closeAtEnd({ close: () => browser.close() });
  return browser;
}

export interface Watched {
  readonly page: Page;
  /** Uncaught errors and messages of `console.error`. */
  readonly errors: string[];
}

/** A page of its own, with what went wrong in it. */
export async function watchedPage(
  browser: Browser,
  cookies: Readonly<Record<string, string>>,
  url: string,
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1500, height: 900 }, reducedMotion: 'reduce' });
  await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url })));
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { page, errors };
}
