import type { ResultBackend } from '../results/port.ts';
import { backendDifference } from './backend-url.ts';
import { type Check, failed, type Finding, listed, ok, reasonOf, skipped, warning } from './check.ts';
import { settingOf } from './cluster-checks.ts';
import type { Observation } from './observation.ts';

/** No task has this id: it is looked up to see that the backend answers. */
const NO_TASK = '00000000-0000-0000-0000-000000000000';

/** `open`: undefined where none is configured; rejects with a sentence where its URL cannot be used. */
export function resultsCheck(
  open: () => Promise<Pick<ResultBackend, 'displayUrl' | 'get' | 'close'> | undefined>,
  observed: () => Promise<Observation>,
): Check {
  return {
    name: 'result backend',
    run: async () => {
      const [{ finding, url }, seen] = await Promise.all([lookUp(open), observed()]);
      const wrong = url === undefined ? [] : placeFindings(seen, url);
      return [finding, ...wrong, ...(finding.verdict === 'ok' ? settingFindings(seen) : [])];
    },
  };
}

interface LookUp {
  readonly finding: Finding;
  /** Of the backend, its password hidden. */
  readonly url?: string | undefined;
}

async function lookUp(open: Parameters<typeof resultsCheck>[0]): Promise<LookUp> {
  let url: string | undefined;
  try {
    const backend = await open();
    if (backend === undefined) {
      const advice = 'Give it by --result-backend: results, retries and the healing of gaps read it.';
      return { finding: skipped('None is configured.', advice) };
    }
    url = backend.displayUrl;
    try {
      await backend.get(NO_TASK);
      return { finding: ok(`${url} can be read.`), url };
    } finally {
      await backend.close();
    }
  } catch (error) {
    const advice = "Check --result-backend against Celery's result_backend.";
    return { finding: failed(`${url ?? 'The result backend'} cannot be read: ${reasonFor(error)}`, advice), url };
  }
}

/** ioredis tells of its own retries where there is no connection. */
function reasonFor(error: unknown): string {
  const reason = reasonOf(error);
  return /max retries per request/i.test(reason) ? 'nothing takes the connection there, or it is refused.' : reason;
}

/** Whether the workers write where the agent reads. */
function placeFindings({ conf }: Observation, url: string): Finding[] {
  const elsewhere = new Map<string, string[]>();
  for (const answer of conf.answers?.values() ?? []) {
    const theirs = answer.ok ? settingOf(answer.reply, 'result_backend') : undefined;
    if (typeof theirs !== 'string' || theirs === '' || theirs === 'disabled://') continue;
    elsewhere.set(theirs, [...(elsewhere.get(theirs) ?? []), answer.worker]);
  }
  return [...elsewhere].flatMap(([theirs, workers]): Finding[] => {
    const difference = backendDifference(url, theirs);
    if (difference === undefined) return [];
    const found = `${listed(workers)} ${workers.length === 1 ? 'stores' : 'store'} results in ${withoutLogin(theirs)}, the agent reads ${withoutLogin(url)}.`;
    return difference === 'place'
      ? [warning(found, "Give the workers' result_backend as --result-backend, unless both name the same server.")]
      : [failed(found, "Give the workers' result_backend as --result-backend.")];
  });
}

/** Workers before Celery 5.7 do not hide every password themselves. */
function withoutLogin(urls: string): string {
  return urls.replaceAll(/:\/\/[^/?#;]*@/g, '://');
}

function settingFindings({ conf }: Observation): Finding[] {
  const settings = [...(conf.answers?.values() ?? [])].flatMap((answer) => (answer.ok ? [answer] : []));
  const names = (wanted: (reply: unknown) => boolean): string[] =>
    settings.filter(({ reply }) => wanted(reply)).map(({ worker }) => worker);
  const findings: Finding[] = [];
  const short = names((reply) => settingOf(reply, 'result_extended') !== true);
  if (short.length > 0) {
    findings.push(
      warning(
        `result_extended is off at ${listed(short)}: a retry has only what the events tell of the arguments, which is cut at 1024 characters.`,
        'Set result_extended = True in the application.',
      ),
    );
  }
  const none = names((reply) => {
    const backend = settingOf(reply, 'result_backend');
    return backend === undefined || backend === null || backend === '' || backend === 'disabled://';
  });
  if (none.length > 0) {
    findings.push(
      warning(
        `${listed(none)} ${none.length === 1 ? 'stores' : 'store'} no results.`,
        'Set result_backend in the application.',
      ),
    );
  }
  return findings;
}
