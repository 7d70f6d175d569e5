import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { FAMILIES } from '../../agent/src/sinks/metrics/families.ts';
import { ROOT } from '../support/paths.ts';
import { alerts, ruleFiles, RULES } from './rules.testkit.ts';

const run = promisify(execFile);
const TESTS = join(ROOT, 'provisioning/prometheus/tests');
const testFiles = readdirSync(TESTS).filter((name) => name.endsWith('.test.yml'));
/** Of other programs than the agent: Prometheus itself and the brokers' exporters. */
const FOREIGN = /^(up|scrape_duration_seconds|process_\w+|redis_\w+|rabbitmq_\w+)$/;

describe('the rules of Prometheus', () => {
  it('are valid', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', ...ruleFiles.map((name) => join(RULES, name))]);
    expect(stdout).not.toContain('FAILED');
  });

  it.each(testFiles)(
    'fire and do not fire: %s',
    async (name) => {
      await run('promtool', ['test', 'rules', join(TESTS, name)]).catch((error: unknown) => {
        const { stdout, stderr } = error as { stdout?: string; stderr?: string };
        throw new Error(`${stdout ?? ''}${stderr ?? ''}`);
      });
    },
    240_000,
  );

  it('have a test for each alert, once firing and once not', () => {
    const text = testFiles.map((name) => readFileSync(join(TESTS, name), 'utf8')).join('\n');
    const missing = alerts.filter(
      ({ alert }) => !text.includes(`name: ${alert} fires\n`) || !text.includes(`name: ${alert} does not fire\n`),
    );
    expect(missing.map(({ alert }) => alert)).toEqual([]);
  });

  it('tell in each alert what it is, where to look and what to do', () => {
    const runbooks = readFileSync(join(ROOT, 'docs/runbooks.md'), 'utf8');
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, labels['severity']]).toEqual([alert, expect.stringMatching(/^(critical|warning|info)$/)]);
      expect(Object.keys(annotations).sort()).toEqual(['dashboard', 'description', 'runbook_url', 'summary']);
      expect(annotations['dashboard']).toMatch(/^\{\{ \$externalLabels\.grafana_url \}\}\/d\/umbel-\w+(\?|$)/);
      expect(annotations['runbook_url']).toMatch(new RegExp(`#${alert.toLowerCase()}$`));
      expect(runbooks).toContain(`\n### ${alert}\n`);
    }
  });

  it('stand in the monitoring checklist, each in its line', () => {
    const checklists = readFileSync(join(ROOT, 'docs/checklists.md'), 'utf8');
    const missing = alerts.filter(({ alert }) => !checklists.includes(`\`${alert}\``));
    expect(missing.map(({ alert }) => alert)).toEqual([]);
  });

  it('use only limits that limits.yml has, and limits.yml has none that no rule uses', () => {
    const limits = readFileSync(join(RULES, 'limits.yml'), 'utf8');
    const defined = new Set([...limits.matchAll(/^ +- record: (umbel:limit:\w+)/gm)].map(([, name]) => name));
    const others = ruleFiles.filter((name) => name !== 'limits.yml');
    const text = others.map((name) => readFileSync(join(RULES, name), 'utf8')).join('\n');
    const used = new Set([...text.matchAll(/umbel:limit:\w+/g)].map(([name]) => name));
    used.delete('umbel:limit:task_runtime_seconds'); // there only for those who set it
    expect([...used].sort()).toEqual([...defined].sort());
  });

  it('use only metrics that are exposed, and series that are recorded', () => {
    const texts = ruleFiles.map((name) => readFileSync(join(RULES, name), 'utf8'));
    const files = texts.join('\n').replace(/^\s*#.*$/gm, '');
    const recorded = new Set([...files.matchAll(/- record: (\S+)/g)].map(([, name]) => name));
    const exposed = new Set<string>(FAMILIES.map(({ name }) => name));
    const used = [...files.matchAll(/\b(?:celery|flower|umbel|process|redis|rabbitmq)[_:][\w:]+/g)].map(
      ([name]) => name,
    );
    const unknown = used.filter((name) => {
      const family = name.replace(/_(bucket|count|sum)$/, '');
      const isOptional = /^umbel:(expect|ignore):|^umbel:limit:task_runtime_seconds$/.test(name);
      return !exposed.has(family) && !exposed.has(name) && !recorded.has(name) && !FOREIGN.test(name) && !isOptional;
    });
    expect(unknown).toEqual([]);
  });

  it('are read by the configuration as it is', async () => {
    const config = join(ROOT, 'provisioning/prometheus/prometheus.yml');
    const { stdout } = await run('promtool', ['check', 'config', config]);
    for (const name of ruleFiles) expect(stdout).toContain(basename(name));
    await run('amtool', ['check-config', join(ROOT, 'provisioning/alertmanager/alertmanager.yml')]);
  });
});
