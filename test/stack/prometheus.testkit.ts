import { execFileSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/cleanup.ts';
import { getObject, getText } from '../support/http.ts';
import { ROOT } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import type { ManagedProcess } from '../support/processes.ts';
import { startProcess } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
}

export interface PrometheusServer {
  readonly url: string;
  /** Instant query: the result vector. */
  query(
    expr: string,
  ): Promise<
    readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]
  >;
  firing(): Promise<readonly FiringAlert[]>;
  /** Writes the rule files anew and lets Prometheus read them. */
  rules(files: ReadonlyMap<string, string>): Promise<void>;
}

export interface PrometheusFiles {
  readonly config: string;
  readonly rules: ReadonlyMap<string, string>;
  /** Samples of the time before, as OpenMetrics text. */
  readonly past: string;
}

/** A real Prometheus on a free port, with a past. Samples older than 5 s count as gone. */
export async function startPrometheus({ config, rules, past }: PrometheusFiles): Promise<PrometheusServer> {
  const home = await temporaryDirectory('prometheus');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const writeRules = async (files: ReadonlyMap<string, string>): Promise<void> => {
    for (const [name, text] of files) await writeFile(join(home, 'rules', name), text);
  };
  await mkdir(join(home, 'rules'));
  await writeFile(join(home, 'prometheus.yml'), config);
  await writeRules(rules);
  await writeFile(join(home, 'past.txt'), past);
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(home, 'past.txt'), join(home, 'data')]);
  const process = startProcess({
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${join(home, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(home, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--query.lookback-delta=5s',
      // The second is how Prometheus 3, which the stack has, always works.
      '--enable-feature=exemplar-storage,expand-external-labels',
    ],
    env: { GRAFANA_ROOT_URL: 'http://localhost:3000' },
  });
  await ready(`${url}/-/ready`, process);
  return {
    url,
    query: async (expr) => {
      const { status, body } = await getText(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const answer = JSON.parse(body) as { data?: { result: [] }; error?: string };
      if (status !== 200 || answer.data === undefined) throw new Error(`${expr}: ${answer.error ?? status}`);
      return answer.data.result;
    },
    firing: async () => {
      const { data } = (await getObject(`${url}/api/v1/alerts`)) as { data: { alerts: FiringAlert[] } };
      return data.alerts.filter(({ state }) => state === 'firing');
    },
    rules: async (files) => {
      await writeRules(files);
      globalThis.process.kill(process.pid, 'SIGHUP');
    },
  };
}

export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>;
  /** An inhibition holds it back. */
  readonly isInhibited: boolean;
}

export interface AlertmanagerServer {
  /** HOST:PORT */
  readonly address: string;
  /** As Prometheus does with alerts that fire. */
  post(alerts: readonly HeldAlert['labels'][]): Promise<void>;
  held(): Promise<readonly HeldAlert[]>;
}

/** A real Alertmanager with the provisioned configuration as it is. */
export async function startAlertmanager(): Promise<AlertmanagerServer> {
  const home = await temporaryDirectory('alertmanager');
  const port = await freePort();
  const config = join(home, 'alertmanager.yml');
  await cp(join(ROOT, 'provisioning/alertmanager/alertmanager.yml'), config);
  const process = startProcess({
    name: 'alertmanager',
    command: 'prometheus-alertmanager',
    args: [
      `--config.file=${config}`,
      `--storage.path=${join(home, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
  });
  await ready(`http://127.0.0.1:${port}/-/ready`, process);
  const url = `http://127.0.0.1:${port}/api/v2/alerts`;
  return {
    address: `127.0.0.1:${port}`,
    post: async (alerts) => {
      const body = JSON.stringify(alerts.map((labels) => ({ labels })));
      const { status } = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (status !== 200) throw new Error(`the Alertmanager answers ${status}`);
    },
    held: async () => {
      const { body } = await getText(url);
      const alerts = JSON.parse(body) as { labels: Record<string, string>; status: { inhibitedBy: string[] } }[];
      return alerts.map(({ labels, status }) => ({ labels, isInhibited: status.inhibitedBy.length > 0 }));
    },
  };
}

async function ready(url: string, process: ManagedProcess): Promise<void> {
  await waitFor(async () => (await getText(url)).status === 200, 30_000, process.name).catch((error: unknown) => {
    throw new Error(process.output(), { cause: error });
  });
}
