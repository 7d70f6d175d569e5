import { type Check, failed, type Finding, listed, ok, reasonOf, skipped, warning } from './check.ts';

const GiB = 1024 ** 3;
const MIN_FREE_BYTES = 2 * GiB;
/** Grafana's id tokens live 10 minutes. */
const MAX_CLOCK_SECONDS = 60;

/** The part of `fetch` that the checks use. */
export type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal; readonly headers: Record<string, string> },
) => Promise<Response>;

const REQUEST_MS = 5000;

async function get(fetch: Fetch, url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(REQUEST_MS), headers });
}

export interface DiskContext {
  readonly dataDir: string;
  /** Where events may wait for the database, bytes. */
  readonly bufferDiskBytes: number;
  /** Free bytes for the user of this process; rejects when the directory cannot be written. */
  readonly freeBytes: () => Promise<number>;
}

/** Room for events that wait, and for the embedded Postgres. */
export function diskCheck({ dataDir, bufferDiskBytes, freeBytes }: DiskContext): Check {
  return {
    name: 'data directory',
    run: async () => {
      const free = await freeBytes().catch((error: unknown) => reasonOf(error));
      if (typeof free === 'string') {
        return [
          failed(`${dataDir} cannot be used: ${free}.`, 'Give another by --data-dir, or the rights on this one.'),
        ];
      }
      const found = `${dataDir} has ${(free / GiB).toFixed(1)} GiB free.`;
      if (free < MIN_FREE_BYTES) return [failed(found, 'Make room: Postgres stops when the disk is full.')];
      if (free < bufferDiskBytes) {
        const advice = `Events that wait for the database may take ${(bufferDiskBytes / GiB).toFixed(1)} GiB: make room, or lower --buffer-disk.`;
        return [warning(found, advice)];
      }
      return [ok(found)];
    },
  };
}

/** `url`: Grafana's base URL; undefined where none is configured. */
export function grafanaCheck(url: string | undefined, fetch: Fetch, nowMs: () => number): Check {
  return {
    name: 'grafana',
    run: async () => {
      if (url === undefined) {
        const advice =
          'Give it by --grafana-url: the audit then names the Grafana user behind an action, proven by his signature.';
        return [skipped('Grafana is not known.', advice)];
      }
      const base = url.replace(/\/+$/, '');
      const advice = 'Check --grafana-url: Grafana as this machine reaches it, with the path it is served under.';
      try {
        const health = await get(fetch, `${base}/api/health`);
        const { version } = await json(health);
        if (!health.ok) return [failed(`${base} answers ${health.status} to /api/health.`, advice)];
        const found = ok(`${base} is Grafana ${typeof version === 'string' ? version : '(version hidden)'}.`);
        return [found, ...(await keyFindings(base, fetch)), ...clockFindings(health, nowMs())];
      } catch (error) {
        return [failed(`${base} cannot be reached: ${reasonOf(error)}.`, advice)];
      }
    },
  };
}

async function keyFindings(base: string, fetch: Fetch): Promise<Finding[]> {
  const url = `${base}/api/signing-keys/keys`;
  const response = await get(fetch, url);
  const { keys } = await json(response);
  if (response.ok && Array.isArray(keys) && keys.length > 0)
    return [ok('Its keys can be read: its users are recognised.')];
  return [
    failed(
      `${url} answers ${response.status}${response.ok ? ' without keys' : ''}.`,
      'Use Grafana 12.4 or newer, and let no proxy in front of it hide this path.',
    ),
  ];
}

function clockFindings({ headers }: Response, nowMs: number): Finding[] {
  const seconds = (nowMs - Date.parse(headers.get('date') ?? '')) / 1000;
  if (!(Math.abs(seconds) > MAX_CLOCK_SECONDS)) return [];
  const found = `Grafana's clock is ${Math.abs(seconds).toFixed(0)} s ${seconds > 0 ? 'behind' : 'ahead'}.`;
  return [warning(found, 'Run NTP on both machines: signatures are valid for some minutes only.')];
}

/** `url`: where an agent with this configuration listens; `token`: one that it takes, where one is known. */
export function agentCheck(url: string, fetch: Fetch, token?: string): Check {
  return {
    name: 'agent',
    run: async () => {
      const statusUrl = `${url.replace(/\/+$/, '')}/api/v1/status`;
      let response: Response;
      try {
        response = await get(fetch, statusUrl, token === undefined ? {} : { authorization: `Bearer ${token}` });
      } catch (error) {
        return [
          skipped(
            `No agent answers at ${url} (${reasonOf(error)}).`,
            'Start it, or give --port and --address as it has them.',
          ),
        ];
      }
      if (response.status === 401 || response.status === 403) return [ok(`An agent runs at ${url}, behind a sign-in.`)];
      if (!response.ok)
        return [warning(`${statusUrl} answers ${response.status}.`, 'Another program may listen on this port.')];
      return statusFindings(url, await json(response));
    },
  };
}

function statusFindings(url: string, status: Readonly<Record<string, unknown>>): Finding[] {
  const { version, warnings, demo } = status;
  const [broker, history] = [record(status['broker']), record(status['history'])];
  if (typeof version !== 'string')
    return [warning(`${url} is no agent of this kind.`, 'Another program listens on this port.')];
  const findings: Finding[] = [
    ok(`An agent ${version} runs at ${url}${demo === true ? ' with the demo cluster' : ''}.`),
  ];
  if (broker['connected'] === false) {
    findings.push(failed(`It is not connected to its broker: ${reason(broker)}`, 'See "broker" above.'));
  }
  if (history['enabled'] === true && history['connected'] === false) {
    findings.push(failed(`It cannot write its history: ${reason(history)}`, 'See "database" above.'));
  }
  const told = Array.isArray(warnings) ? warnings.filter((text) => typeof text === 'string') : [];
  if (told.length > 0) findings.push(warning(`It warns: ${listed(told)}`, 'Each warning names its remedy.'));
  return findings;
}

/** `sentences`: what the configuration was found to lack, each with its remedy. */
export function settingsCheck(sentences: readonly string[]): Check {
  return {
    name: 'settings',
    run: () =>
      Promise.resolve(
        sentences.length === 0
          ? [ok('Nothing to object to.')]
          : sentences.map((sentence): Finding => ({ verdict: 'warning', found: sentence })),
      ),
  };
}

function reason({ problem }: Readonly<Record<string, unknown>>): string {
  return typeof problem === 'string' ? problem : 'no reason told';
}

async function json(response: Response): Promise<Readonly<Record<string, unknown>>> {
  return record(await response.json().catch(() => undefined));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
