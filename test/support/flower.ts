import { type AppPlace, appEnvironment } from './celery.ts';
import { testPython } from './environment.ts';
import { getText } from './http.ts';
import { freePort } from './ports.ts';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import { CELERY_APP, pythonEnvironment } from './python.ts';
import { waitFor } from './wait.ts';

export interface FlowerServer extends ManagedProcess {
  readonly url: string;
}

/** Flower beside the agent, its API open, with its stock options unless `args` says otherwise; heard as "ready" once it listens. */
export async function startFlower(options: AppPlace & { readonly args?: readonly string[] }): Promise<FlowerServer> {
  const port = await freePort();
  const flower = startProcess({
    name: 'flower',
    command: testPython(),
    args: ['-m', 'celery', '-A', 'app', 'flower', '--address=127.0.0.1', `--port=${port}`, ...(options.args ?? [])],
    env: pythonEnvironment({
      ...appEnvironment(options),
      FLOWER_UNAUTHENTICATED_API: 'true',
    }),
    cwd: CELERY_APP,
  });
  const url = `http://127.0.0.1:${port}`;
  await flower.printed(/Connected to (redis|amqp)/, 60_000);
  await waitFor(async () => (await getText(`${url}/healthcheck`)).status === 200, 30_000, 'Flower listening');
  return Object.assign(flower, { url });
}
