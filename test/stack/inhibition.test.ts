/** What the provisioned Alertmanager, a real one, holds back, and what it must not: alerts of other brokers and agents. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import { waitFor } from '../support/wait.ts';
import { type AlertmanagerServer, startAlertmanager } from './prometheus.testkit.ts';
import { alerts } from './rules.testkit.ts';

type Labels = Readonly<Record<string, string>>;

let alertmanager: AlertmanagerServer;
let cases = 0;

beforeAll(async () => {
  alertmanager = await startAlertmanager();
}, 60_000);

/** An alert as its rule labels it: severity from the rule; `main` is the first broker's cluster. */
function alert(alertname: string, labels: Labels = {}): Labels {
  const severity = alerts.find((rule) => rule.alert === alertname)?.labels['severity'];
  if (severity === undefined) throw new Error(`there is no alert ${alertname}`);
  return { alertname, severity, cluster: 'main', ...labels };
}

/** Posts them all in a job of their own, and gives those of `targets` that are held back. */
async function heldBack(sources: readonly Labels[], targets: readonly Labels[]): Promise<readonly Labels[]> {
  const job = `celery-${++cases}`;
  const posted = [...sources, ...targets].map((labels) => ({ ...labels, job }));
  // An alert of which it is known that it is held back, behind all others: when it is, they have been judged.
  const last = ['CeleryBrokerUnreachable', 'CeleryQueueLong'].map((name) => ({
    ...alert(name, { cluster: 'last', instance: 'last', scope: 'cluster' }),
    job,
  }));
  await alertmanager.post(posted);
  await alertmanager.post(last);
  const held = async () => (await alertmanager.held()).filter(({ labels }) => labels['job'] === job);
  await waitFor(
    async () => (await held()).some(({ labels, isInhibited }) => labels['cluster'] === 'last' && isInhibited),
    20_000,
    'an inhibition',
  );
  const inhibited = (await held()).filter(({ isInhibited }) => isInhibited).map(({ labels }) => labels);
  const isSame = (one: Labels, other: Labels): boolean =>
    Object.entries(one).every(([name, text]) => other[name] === text);
  return targets.filter((target) => inhibited.some((labels) => isSame(target, labels)));
}

/** What follows when nobody hears the workers of a cluster. */
function consequences(more: Labels = {}): readonly Labels[] {
  return [
    alert('CeleryNoWorkers', more),
    alert('CeleryQueueWithoutWorkers', { queue_name: 'celery', ...more }),
    alert('CeleryQueueStuck', { queue_name: 'mail', ...more }),
    alert('CelerySuccessBudgetBurnFast', { queue_name: 'celery', ...more }),
    alert('CeleryTaskFailureRateHigh', { name: 'shop.pay', queue_name: 'celery', ...more }),
    alert('CeleryWorkerOffline', { worker: 'w@h', ...more }),
  ];
}

/** Those that hold back none of the others. */
const apart = (labels: readonly Labels[]): readonly Labels[] =>
  labels.filter(({ alertname }) => alertname !== 'CeleryNoWorkers');

describe.each(['CeleryBrokerUnreachable', 'UmbelAgentDown', 'UmbelAgentDeaf'])('%s', (source) => {
  it('holds back what follows in its own cluster where no agent sees it', async () => {
    const targets = consequences();
    const sources = [alert(source, { scope: 'cluster', instance: 'agent:5555' })];
    expect(await heldBack(sources, targets)).toEqual(targets);
  });

  it('holds back nothing of another broker, nor of another namespace', async () => {
    const sources = [alert(source, { scope: 'cluster', instance: 'agent-rabbitmq:5555', cluster: 'rabbitmq' })];
    const elsewhere = [alert(source, { scope: 'cluster', instance: 'pod', namespace: 'shop' })];
    const others = apart([...consequences(), ...consequences({ namespace: 'blog' })]);
    expect(await heldBack([...sources, ...elsewhere], others)).toEqual([]);
  });

  it('holds back nothing while another agent of its cluster goes on', async () => {
    const sources = [alert(source, { scope: 'agent', instance: 'agent-0:5555' })];
    expect(await heldBack(sources, apart(consequences()))).toEqual([]);
  });
});

describe('what holds back only what it causes', () => {
  it('is a broker that is away, for the silence of the agent that is cut off, and for no other', async () => {
    const deaf = ['a', 'b'].map((instance) => alert('UmbelAgentDeaf', { instance, scope: 'agent' }));
    const sources = [alert('CeleryBrokerUnreachable', { instance: 'a', scope: 'agent' })];
    expect(await heldBack(sources, deaf)).toEqual(deaf.slice(0, 1));
  });

  it('are missing workers, for the queues of their own cluster', async () => {
    const all = ['main', 'rabbitmq'].map((cluster) => alert('CeleryQueueStuck', { queue_name: 'celery', cluster }));
    expect(await heldBack([alert('CeleryNoWorkers')], all)).toEqual(all.slice(0, 1));
    const source = alert('CeleryQueueWithoutWorkers', { queue_name: 'celery' });
    expect(await heldBack([source], all)).toEqual(all.slice(0, 1));
    expect(await heldBack([source], [alert('CeleryQueueStuck', { queue_name: 'mail' })])).toEqual([]);
  });

  it('are late events, for clocks and heartbeats of their own cluster', async () => {
    const all = ['main', 'rabbitmq'].map((cluster) => alert('CeleryWorkerClockSkew', { worker: 'w@h', cluster }));
    expect(await heldBack([alert('UmbelEventLag', { instance: 'a' })], all)).toEqual(all.slice(0, 1));
  });

  it('is a budget that burns fast, for the slower signs of the same queue', async () => {
    const slow = ['celery', 'mail'].map((name) => alert('CelerySuccessBudgetBurnSlow', { queue_name: name }));
    const sources = [alert('CelerySuccessBudgetBurnFast', { queue_name: 'celery' })];
    expect(await heldBack(sources, slow)).toEqual(slow.slice(0, 1));
  });

  it('is nothing critical, for news that have nothing to do with it', async () => {
    const news = [alert('CeleryVersionMix'), alert('CeleryPrefetchWaitHigh', { task: 'shop.pay', worker: 'w@h' })];
    expect(await heldBack([alert('CeleryQueueStuck', { queue_name: 'celery' })], news)).toEqual([]);
  });
});

it('groups by cluster, and compares it wherever it holds something back', () => {
  const config = parse(readFileSync(join(ROOT, 'provisioning/alertmanager/alertmanager.yml'), 'utf8')) as {
    readonly route: { readonly group_by: readonly string[] };
    readonly inhibit_rules: readonly { readonly equal: readonly string[] }[];
  };
  const labels = ['cluster', 'namespace', 'job'];
  for (const { equal } of config.inhibit_rules) expect(equal).toEqual(expect.arrayContaining(labels));
  expect(config.route.group_by).toEqual(expect.arrayContaining(labels));
});
