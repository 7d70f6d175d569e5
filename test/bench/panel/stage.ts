import { fillHistory } from '../fill.ts';
import { freshDatabase } from '../../support/database.ts';
import { startPostgres } from '../../support/postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { type PluginHost, startPluginHost } from '../../plugin-host/host.testkit.ts';

/** The built Tasks panel in a browser, an agent behind it and a history of a day behind that. */
export interface Stage {
  readonly host: PluginHost;
  readonly redis: RedisServer;
  stop(): Promise<void>;
}

/** @param tasks in the history, spread evenly over the last day */
export async function panelStage(tasks: number, say: (text: string) => void): Promise<Stage> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ shared_buffers: '128MB' })]);
  const { url: databaseUrl } = await freshDatabase(postgres.url);
  await fillHistory(databaseUrl, { tasks, days: 1 }, (written) => say(`${written} tasks filled in`));
  const host = await startPluginHost(`${redis.url}/0`, { databaseUrl });
  return {
    host,
    redis,
    stop: async () => {
      await host.browser.close();
      await host.agent.kill('SIGTERM');
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
}

/** What `host.open` shows: the Tasks panel over the last `hours`. */
export const tasksView = (query: object = {}, hours = 24): Readonly<Record<string, unknown>> => ({
  view: 'panel',
  panel: 'tasks',
  hours,
  targets: [{ refId: 'A', kind: 'tasks', ...query }],
});

/** A row of the table, not its header. */
export const ROWS = '[role="row"]:has([role="gridcell"])';
