import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryDirectory } from './support/cleanup.ts';
import { ROOT } from './support/paths.ts';

/** Runs `npm run validate` on the built plugin, or on a copy with a fault. */
async function validate(spoil?: (directory: string) => void): Promise<string> {
  let directory = join(ROOT, 'plugin/dist');
  if (spoil !== undefined) {
    const copy = join(await temporaryDirectory('plugin'), 'dist');
    cpSync(directory, copy, { recursive: true });
    spoil(copy);
    directory = copy;
  }
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/validate.mjs'), directory], {
    encoding: 'utf8',
  });
  return `${stderr}${stdout}`;
}

function edit(path: string, change: (text: string) => string): (directory: string) => void {
  return (directory) => {
    const file = join(directory, path);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  };
}

it('the built plugin passes what Grafana’s validator checks', async () => {
  expect(await validate()).toBe('nothing wrong\n');
}, 60_000);

it.each([
  [
    'another id',
    edit('plugin.json', (text) => text.replace('"umbel-celery-app"', '"Umbel_App"')),
    /is not org-name-type/,
  ],
  [
    'a version of its own',
    edit('datasource/plugin.json', (text) => text.replace(/"version": "[^"]+"/, '"version": "9.9.9"')),
    /info.version is 9.9.9/,
  ],
  [
    'a nested plugin that is not listed',
    edit('plugin.json', (text) => text.replace('panels/tasks/plugin.json', 'panels/task/plugin.json')),
    /includes lacks umbel-celerytasks-panel/,
  ],
  [
    'two verbs in a route',
    edit('datasource/plugin.json', (text) => text.replace('"method": "POST"', '"method": "POST,PUT"')),
    /is not one verb/,
  ],
  [
    'a secret in a route',
    edit('datasource/plugin.json', (text) => text.replace('Bearer {{ .SecureJsonData.token }}', 'Bearer abc')),
    /SecureJsonData/,
  ],
  [
    'a script in a picture',
    edit('img/logo.svg', (text) => text.replace('</svg>', '<script>1</script></svg>')),
    /<script> is not on the safe list/,
  ],
  [
    'internals of React',
    edit('module.js', (text) => `${text};x.__SECRET_INTERNALS_DO_NOT_USE_OR_YOU_WILL_BE_FIRED`),
    /internals of React 18/,
  ],
  ['an empty README', edit('README.md', () => ''), /README.md: says too little/],
  ['a screenshot that is none', edit('img/screenshots/overview.png', () => 'text'), /is not the picture/],
])(
  'finds %s',
  async (_, spoil, problem) => {
    expect(await validate(spoil)).toMatch(problem);
  },
  60_000,
);
