import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { builtAgent } from '../../test/support/agent-build.ts';
import { closeAtEnd, temporaryDirectory } from '../../test/support/cleanup.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the process', () => {
  let main = '';
  beforeAll(async () => {
    main = await builtAgent();
  }, 120_000);

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      });
    });

  it('prints help, version and configuration, and nothing else, and ends with 0', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('--broker') });
    expect(await run(['-V'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    const printed = await run(['--print-config', '--database-url', 'postgres://u:s3cret@h/d'], { UMBEL_PORT: '1' });
    expect(printed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^UMBEL_PORT=1 +# UMBEL_PORT$/m) });
    expect(printed.stdout).not.toContain('s3cret');
  }, 30_000);

  it('ends with 2 and all problems where the configuration is wrong', async () => {
    const { code, stderr } = await run(['--prot', '1', '--basic_auth=s3cret'], { UMBEL_RETENTION_DAYS: 'x' });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(4);
    expect(stderr).not.toContain('s3cret');
  }, 30_000);

  it('ends with 1 and the reason where a part cannot start', async () => {
    const { code, stdout } = await run([
      '--data-dir',
      join(main, 'below-a-file'),
      '--port',
      '0',
      '--log-format',
      'json',
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/data directory .*--data-dir/);
  }, 30_000);

  it('stops when the process that started it with a channel is gone', async () => {
    const dataDir = await temporaryDirectory('main');
    const args = ['--no-history', '--data-dir', dataDir, '--port', '0', '--log-format', 'json'];
    const child = fork(main, args, { env: {}, execArgv: [], silent: true });
    closeAtEnd({ close: () => Promise.resolve(void child.kill('SIGKILL')) });
    let output = '';
    for await (const chunk of child.stdout ?? []) {
      output += String(chunk);
      if (child.connected && output.includes('ready: ')) child.disconnect();
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
    expect(output).toContain('the agent has stopped');
  }, 30_000);
});
