import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { testPython } from '../support/environment.ts';
import { getText } from '../support/http.ts';
import { startProcess } from '../support/processes.ts';
import { pythonEnvironment } from '../support/python.ts';
import { waitFor, within } from '../support/wait.ts';

const LONG = process.env['UMBEL_TEST_LONG'] === '1';
const SEED = process.env['UMBEL_TEST_SEED'] ?? '1';
const FOLDER = join(import.meta.dirname, 'api');
const TOKEN = 'admin-of-the-tests';

/**
 * Requests made from the OpenAPI document against a running agent, valid ones and broken ones; every check there is.
 * Streams are left out: they do not end. The long run adds the values at the edges of each schema, and takes an hour.
 */
it(
  'answers as its OpenAPI document says, whatever it is asked',
  async () => {
    const agent = await startAgent({ args: ['--tokens', `tests:admin:${TOKEN}`, '--anonymous', 'none'] });
    const authorization = `Bearer ${TOKEN}`;
    const tasks = async () => (await getText(`${agent.url}/api/v1/export/tasks?format=ndjson`, { authorization })).body;
    await waitFor(async () => (await tasks()).split('\n').length > 20, 60_000, 'tasks of the demo');
    const program = startProcess({
      name: 'schemathesis',
      command: join(dirname(testPython()), 'schemathesis'),
      args: [
        ...['--config-file', join(FOLDER, 'schemathesis.toml')],
        ...['run', `${agent.url}/api/v1/openapi.json`, '--url', agent.url],
        ...['-H', `Authorization: ${authorization}`],
        ...['--include-path-regex', '^/api/v1/', '--exclude-path-regex', '/api/v1/(stream|ws)$'],
        ...(SEED === 'random' ? [] : ['--seed', SEED]),
        ...['--no-shrink', '--continue-on-failure', '--request-timeout', '25'],
        ...['--suppress-health-check', 'all', '--warnings', 'off'],
        ...(LONG ? ['-n', '50', '--phases', 'coverage,fuzzing,stateful'] : ['-n', '2', '--phases', 'fuzzing']),
      ],
      // It leaves its cache where it is started.
      cwd: await temporaryDirectory('schemathesis'),
      env: pythonEnvironment({ PYTHONPATH: FOLDER, SCHEMATHESIS_HOOKS: 'hooks', NO_COLOR: '1' }),
    });
    const { code } = await within(program.exited, LONG ? 3_600_000 : 300_000, 'schemathesis');
    if (code !== 0) throw new Error(program.output());
    expect(program.output()).toMatch(/(\d{3,}) generated, \1 passed/);
    expect(agent.process().output()).not.toMatch(/request failed/);
  },
  LONG ? 3_700_000 : 400_000,
);
