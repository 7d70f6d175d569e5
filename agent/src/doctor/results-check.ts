import type { ResultBackend } from '../results/port.ts';
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
      const [reachable, seen] = await Promise.all([lookUp(open), observed()]);
      return [reachable, ...(reachable.verdict === 'failed' ? [] : settingFindings(seen, reachable.verdict === 'ok'))];
    },
  };
}

async function lookUp(open: Parameters<typeof resultsCheck>[0]): Promise<Finding> {
  let where = 'The result backend';
  try {
    const backend = await open();
    if (backend === undefined) {
      return skipped(
        'None is configured.',
        'Give it by --result-backend: results, retries and the healing of gaps read it.',
      );
    }
    where = backend.displayUrl;
    try {
      await backend.get(NO_TASK);
      return ok(`${where} can be read.`);
    } finally {
      await backend.close();
    }
  } catch (error) {
    return failed(
      `${where} cannot be read: ${reasonOf(error)}`,
      "Check --result-backend against Celery's result_backend.",
    );
  }
}

function settingFindings({ conf }: Observation, hasBackend: boolean): Finding[] {
  const settings = [...(conf.answers?.values() ?? [])].flatMap((answer) => (answer.ok ? [answer] : []));
  const names = (wanted: (reply: unknown) => boolean): string[] =>
    settings.filter(({ reply }) => wanted(reply)).map(({ worker }) => worker);
  const findings: Finding[] = [];
  const short = names((reply) => settingOf(reply, 'result_extended') !== true);
  if (hasBackend && short.length > 0) {
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
  if (hasBackend && none.length > 0) {
    findings.push(
      warning(
        `${listed(none)} ${none.length === 1 ? 'stores' : 'store'} no results.`,
        'Set result_backend in the application.',
      ),
    );
  }
  return findings;
}
