/**
 * The provisioning files of Prometheus in fast motion: an hour's window must be filled within a test of minutes. Every
 * `for:`, every range and offset of an expression, every group's interval and every `time() - N` is divided by the
 * factor; ranges stay above four seconds, so that they hold several scrapes, and no `for:` is longer than eight: a scrape
 * that fails because the machine is busy begins it anew. Nothing else of a rule is changed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ROOT } from '../support/paths.ts';
import { ruleFiles, RULES } from './rules.testkit.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SHORTEST_RANGE_MS = 4000;
const LONGEST_FOR_MS = 8000;

interface Rule {
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Group {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

function shortened(text: string, factor: number, { leastMs = 1, mostMs = Infinity } = {}): string {
  const [, amount = '0', unit = 's'] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const shortMs = Math.round((Number(amount) * (UNIT_MS[unit] ?? 1000)) / factor);
  return `${Math.min(mostMs, Math.max(leastMs, shortMs))}ms`;
}

function fasterExpr(expr: string, factor: number): string {
  return expr
    .replace(/\[(\d+[smhdw])\]/g, (_, range: string) => `[${shortened(range, factor, { leastMs: SHORTEST_RANGE_MS })}]`)
    .replace(/offset (\d+[smhdw])/g, (_, offset: string) => `offset ${shortened(offset, factor)}`)
    .replace(/time\(\) - (\d+)\b/g, (_, seconds: string) => `time() - ${Number(seconds) / factor}`);
}

/** The rule files by name; `limits` replaces values of limits.yml, and `more` are recording rules beside them. */
export function fasterRules(
  factor: number,
  limits: Readonly<Record<string, number>>,
  more: readonly Rule[],
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of ruleFiles) {
    const { groups } = parse(readFileSync(join(RULES, name), 'utf8')) as { groups: readonly Group[] };
    const faster = groups.map((group) => ({
      ...group,
      ...(group.interval !== undefined && { interval: shortened(group.interval, factor) }),
      rules: [
        ...group.rules.map((rule) => ({
          ...rule,
          expr: limitOf(rule, limits) ?? fasterExpr(rule.expr, factor),
          ...(rule.for !== undefined && { for: shortened(rule.for, factor, { mostMs: LONGEST_FOR_MS }) }),
        })),
        ...(group.name === 'umbel-limits' ? more : []),
      ],
    }));
    files.set(name, stringify({ groups: faster }));
  }
  return files;
}

function limitOf({ record = '' }: Rule, limits: Readonly<Record<string, number>>): string | undefined {
  const value = limits[record.replace('umbel:limit:', '')];
  return record.startsWith('umbel:limit:') && value !== undefined ? `vector(${value})` : undefined;
}

/** What the names of docker-compose.yml are in a test: `agent:5555` → `127.0.0.1:40123`. */
export type Addresses = Readonly<Record<string, string>>;

interface StaticConfig {
  readonly targets: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

interface ScrapeConfig {
  readonly job_name: string;
  readonly static_configs?: readonly StaticConfig[];
  readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
}

interface PrometheusConfig {
  readonly global: object;
  readonly alerting: object;
  readonly scrape_configs: readonly ScrapeConfig[];
}

/**
 * prometheus.yml with addresses replaced, and scraping and evaluating as often as given; `more` agents are scraped beside
 * those it names.
 */
export function fasterConfig(
  addresses: Addresses,
  interval: { readonly scrape: string; readonly rules: string },
  more: readonly StaticConfig[],
): string {
  const text = readFileSync(join(ROOT, 'provisioning/prometheus/prometheus.yml'), 'utf8');
  const config = parse(text) as PrometheusConfig;
  const at = (name: string): string => {
    const address = addresses[name];
    if (address === undefined) throw new Error(`prometheus.yml scrapes ${name}, and the test has no such thing`);
    return address;
  };
  const scrapes = config.scrape_configs.map(({ dns_sd_configs = [], static_configs = [], ...rest }) => ({
    ...rest,
    static_configs: [
      ...static_configs.map((fixed) => ({ ...fixed, targets: fixed.targets.map(at) })),
      // A name that the test cannot resolve; the label tells the relabelling what was looked up.
      ...dns_sd_configs.flatMap(({ names, port }) =>
        names.map((name) => ({ targets: [at(`${name}:${port}`)], labels: { __meta_dns_name: name } })),
      ),
      ...(rest.job_name === 'celery' ? more : []),
    ],
  }));
  const global = { ...config.global, scrape_interval: interval.scrape, evaluation_interval: interval.rules };
  const alertmanagers = [{ static_configs: [{ targets: [at('alertmanager:9093')] }] }];
  return stringify({ ...config, global, alerting: { ...config.alerting, alertmanagers }, scrape_configs: scrapes });
}
