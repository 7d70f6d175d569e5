import type { Browser } from 'playwright-core';
import type { AgentOptions, RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { startBrowser, type Watched, watchedPage } from '../support/browser.ts';
import { buildPage, type React } from './build-page.ts';
import { type GrafanaStandIn, startGrafanaStandIn } from './grafana.ts';

/** The token that the data source has; nobody else. */
export const TOKEN = 'a-token-of-grafana-with-more-than-32-characters';

export interface PluginHost {
  readonly grafana: GrafanaStandIn;
  readonly agent: RunningAgent;
  readonly browser: Browser;
  /** Opens a view of page/main.tsx as a user. */
  open(user: string, view: Readonly<Record<string, unknown>>): Promise<Watched>;
}

/** An agent on the broker, the stand-in for Grafana in front of it, and a browser. */
export async function startPluginHost(
  brokerUrl: string,
  { args = [], react = 18, ...more }: Pick<AgentOptions, 'args' | 'databaseUrl'> & { readonly react?: React } = {},
): Promise<PluginHost> {
  const grafana = await startGrafanaStandIn(await buildPage(react));
  const agent = await startAgent({
    ...more,
    brokerUrl,
    args: ['--tokens', `grafana:admin:${TOKEN}`, '--grafana-url', grafana.url, '--anonymous', 'none', ...args],
  });
  grafana.target = { url: agent.url, token: TOKEN };
  const browser = await startBrowser();
  return {
    grafana,
    agent,
    browser,
    open: async (user, view) => {
      const watched = await watchedPage(browser, { user }, grafana.url);
      const params = new URLSearchParams();
      for (const [name, value] of Object.entries(view))
        params.set(name, typeof value === 'string' ? value : JSON.stringify(value));
      await watched.page.goto(`${grafana.url}/?${params.toString()}`);
      return watched;
    },
  };
}
