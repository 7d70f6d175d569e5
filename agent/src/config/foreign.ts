import { booleanWord } from './value-types.ts';

/** What a foreign option's value leads to; all undefined: nothing to say. */
export interface ForeignOutcome {
  readonly warning?: string;
  /** The agent must not start. */
  readonly problem?: string;
  /** The same in the agent's words: weaker than the option itself. */
  readonly instead?: { readonly name: string; readonly value: string };
}

/** An option of Flower, Celery or celery-exporter that has no counterpart of its own here. */
export interface ForeignOption {
  readonly from: 'Flower' | 'celery-exporter' | 'Celery';
  readonly name: string;
  readonly short?: string;
  /** Takes no value. */
  readonly isSwitch?: true;
  /** Only known as an environment variable. */
  readonly environmentOnly?: true;
  /** What it means here, for the docs. */
  readonly meaning: string;
  judge(value: string): ForeignOutcome;
}

const isOff = (value: string): boolean => value.trim() === '' || booleanWord(value) === false;

function flower(name: string, meaning: string, isSwitch = false): ForeignOption {
  return {
    from: 'Flower',
    name,
    ...(isSwitch ? { isSwitch: true as const } : {}),
    meaning,
    judge: (value) => (isSwitch && isOff(value) ? {} : { warning: `has no effect here: ${meaning}` }),
  };
}

/** Ignoring it would leave open what its user believes to be closed. */
function refused(name: string, meaning: string): ForeignOption {
  return {
    from: 'Flower',
    name,
    meaning: `Refused: ${meaning}`,
    judge: (value) =>
      value.trim() === '' || value.trim() === '[]' ? {} : { problem: `cannot be honoured: ${meaning}` },
  };
}

const NO_LOGIN =
  'there are no login pages; let people sign in at Grafana (--grafana-url), or take JWTs of an OpenID provider (--oidc-issuer)';
const NO_PAGES = 'Grafana shows the pages; set it there';
const NO_LOG_FILES = 'the log goes to standard output; redirect it, or let the service manager keep it';

function environment(name: string, meaning: string): ForeignOption {
  return { ...flower(name, meaning), environmentOnly: true };
}

const FLOWER: readonly ForeignOption[] = [
  refused('auth', NO_LOGIN),
  refused('auth_provider', NO_LOGIN),
  flower('oauth2_key', NO_LOGIN),
  flower('oauth2_secret', NO_LOGIN),
  flower('oauth2_redirect_uri', NO_LOGIN),
  flower('cookie_secret', 'there are no cookies'),
  flower('max_tasks', 'tasks are kept in Postgres for --retention-days; --max-open-tasks bounds the memory'),
  {
    ...flower('persistent', 'the history is always kept, in Postgres; --no-history switches it off', true),
    judge: (value) =>
      isOff(value) ? { warning: 'has no effect here: the history is kept in Postgres; use --no-history' } : {},
  },
  flower('db', 'the history is kept in Postgres: --database-url, or --data-dir for the embedded one'),
  {
    ...flower('state_save_interval', 'every event is stored within a second'),
    judge: (value) =>
      Number(value) === 0 ? {} : { warning: 'has no effect here: every event is stored within a second' },
  },
  flower('tasks_columns', NO_PAGES),
  flower('natural_time', NO_PAGES, true),
  flower('auto_refresh', NO_PAGES, true),
  flower('format_task', 'Grafana shows the pages; what looks like a secret is masked (--mask-keys)'),
  flower('conf', 'there is no configuration file; use flags or environment variables (--help)'),
  {
    from: 'Flower',
    name: 'debug',
    isSwitch: true,
    meaning: '--log-level debug',
    judge: (value) => (isOff(value) ? {} : { instead: { name: 'log-level', value: 'debug' } }),
  },
  flower('log_file_prefix', NO_LOG_FILES),
  flower('log_to_stderr', NO_LOG_FILES, true),
  flower('log_file_max_size', NO_LOG_FILES),
  flower('log_file_num_backups', NO_LOG_FILES),
  flower('log_rotate_mode', NO_LOG_FILES),
  flower('log_rotate_when', NO_LOG_FILES),
  flower('log_rotate_interval', NO_LOG_FILES),
  environment('github_oauth_domain', NO_LOGIN),
  environment('gitlab_oauth_domain', NO_LOGIN),
  environment('gitlab_auth_allowed_groups', NO_LOGIN),
  environment('gitlab_min_access_level', NO_LOGIN),
  environment('oauth2_okta_base_url', NO_LOGIN),
];

function exporter(name: string, meaning: string): ForeignOption {
  return { from: 'celery-exporter', name, meaning, judge: () => ({ warning: `has no effect here: ${meaning}` }) };
}

const EXPORTER: readonly ForeignOption[] = [
  {
    ...exporter('accept_content', 'JSON, YAML and msgpack are always read, pickle never'),
    judge: (value) =>
      value.includes('pickle') ? { warning: 'pickle is never read: such messages are refused and counted' } : {},
  },
  exporter('retry_interval', 'the agent reconnects for ever, with growing pauses'),
  ...['url', 'use-ssl'].map((part) => exporter(`redbeat-redis-${part}`, 'schedules are not read')),
  ...['key-prefix', 'sentinel', 'redis-option'].map((part) => exporter(`redbeat-${part}`, 'schedules are not read')),
];

function celery(name: string, short: string | undefined, meaning: string, isSwitch = false): ForeignOption {
  return {
    from: 'Celery',
    name,
    meaning,
    ...(short === undefined ? {} : { short }),
    ...(isSwitch ? { isSwitch: true as const } : {}),
    judge: () => ({ warning: `has no effect here: ${meaning}` }),
  };
}

const CELERY: readonly ForeignOption[] = [
  celery('app', 'A', 'the agent needs no application module, only the broker (--broker)'),
  celery('loader', undefined, 'no application is loaded'),
  celery('config', undefined, 'no Celery configuration is read; give the broker by --broker'),
  celery('workdir', undefined, 'no application is loaded'),
  celery('skip-checks', undefined, 'no application is loaded', true),
  celery('no-color', 'C', 'use --log-format json', true),
  celery('quiet', 'q', 'use --log-level warn', true),
];

/** Accepted for the sake of those who come from there; none of them opens or loses anything silently. */
export const FOREIGN: readonly ForeignOption[] = [...FLOWER, ...EXPORTER, ...CELERY];

/** `FLOWER_…` or `CE_…`; Celery's own flags have none. */
export function foreignEnvironmentName(option: ForeignOption): string | undefined {
  if (option.from === 'Celery') return undefined;
  return (option.from === 'Flower' ? 'FLOWER_' : 'CE_') + option.name.toUpperCase().replaceAll('-', '_');
}
