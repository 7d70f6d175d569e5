import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../support/paths.ts';

export const RULES = join(ROOT, 'provisioning/prometheus/rules');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly (AlertRule | RecordingRule)[] }[];
}

export const ruleFiles: readonly string[] = readdirSync(RULES).filter((name) => name.endsWith('.yml'));

const rules = ruleFiles.flatMap((name) => {
  const file = parse(readFileSync(join(RULES, name), 'utf8')) as RuleFile;
  return file.groups.flatMap((group) => group.rules);
});

export const alerts: readonly AlertRule[] = rules.filter((rule): rule is AlertRule => 'alert' in rule);
export const recordings: readonly RecordingRule[] = rules.filter((rule): rule is RecordingRule => 'record' in rule);
