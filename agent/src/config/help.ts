import { environmentName, type Option } from './option.ts';
import { ALL_OPTIONS, OPTIONS, SECTION_TITLES } from './options.ts';
import { HIDDEN, redactUrls } from './redact.ts';
import type { Sourced } from './load.ts';

const WIDTH = 100;
const INDENT = 6;

/** The text of `--help`. */
export function helpText(): string {
  const sections = (Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]).map((section) => {
    const options = ALL_OPTIONS.filter((placed) => placed.section === section).map(({ option }) => helpEntry(option));
    return `${SECTION_TITLES[section]}\n${options.join('\n')}`;
  });
  return [
    'umbel-agent [options]      from the project: npm start -- [options]',
    '',
    'Shows a Celery cluster: history, metrics and an API. Without --broker it shows a simulated one.',
    'Every option is also an environment variable: --retention-days is UMBEL_RETENTION_DAYS.',
    'Secrets and URLs can be read from a file: UMBEL_DATABASE_URL_FILE, --database-url-file.',
    "Flower's and celery-exporter's options and variables are understood as well; docs/options.md lists them.",
    '',
    ...sections.flatMap((section) => [section, '']),
    'Other',
    '  -h, --help',
    '  -V, --version',
    '      --print-config',
    `${' '.repeat(INDENT + 2)}Print the effective settings and where each comes from, secrets hidden.`,
    '      --hash-password',
    `${' '.repeat(INDENT + 2)}Print the hash of the password on standard input, for --basic-auth.`,
    '  doctor [--json]',
    `${' '.repeat(INDENT + 2)}Check broker, workers, result backend, database and Grafana instead of starting, and say what to do.`,
    `${' '.repeat(INDENT + 2)}Ends with 1 when a check failed. Takes the same options and variables as the agent.`,
    '  import',
    `${' '.repeat(INDENT + 2)}Take the ended tasks in the database that --result-backend names as a first history. May be repeated.`,
  ].join('\n');
}

function helpEntry(option: Option<unknown>): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const value = option.type.isSwitch ? '' : ` ${option.type.hint}`;
  const flags = option.type.isSwitch ? `--[no-]${option.name}` : `--${option.name}${value}`;
  return [`  ${short}${flags}`, ...wrap(`${option.doc} Default: ${defaultText(option)}.`)].join('\n');
}

/** The default, in words where it has them. */
export function defaultText(option: Option<unknown>): string {
  return option.defaultDoc ?? option.type.show(option.default);
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${' '.repeat(INDENT + 2)}${word}`);
  }
  return lines;
}

/** The text of `--print-config`: one line an option, secrets and passwords hidden. */
export function printConfig(values: readonly Sourced[]): string {
  const rows = values.map(({ option, value, source }) => [
    `${environmentName(option.name)}=${visible(option, value)}`,
    source,
  ]);
  const width = Math.min(60, Math.max(...rows.map(([left = '']) => left.length)));
  return rows.map(([left = '', source = '']) => `${left.padEnd(width)}  # ${source}`).join('\n');
}

function visible(option: Option<unknown>, value: unknown): string {
  if (value === undefined) return '';
  if (option.hide === 'secret') return value === option.default ? '' : HIDDEN;
  const shown = option.type.show(value);
  return option.hide === 'url' ? redactUrls(shown) : shown;
}
