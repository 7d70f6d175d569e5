import { join } from 'node:path';
import { testPython } from './environment.ts';
import { ROOT } from './paths.ts';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import { within } from './wait.ts';

export const CELERY_APP = join(ROOT, 'test', 'celery-app');

/** Environment of every Python program of the tests: finds the test app, leaves no bytecode behind. */
export function pythonEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PYTHONPATH: CELERY_APP, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', PYTHONUTF8: '1', ...more };
}

/** Starts `python ARGS` with the test environment; it ends with the test file. */
export function startPython(args: readonly string[], env: Readonly<Record<string, string>> = {}): ManagedProcess {
  return startProcess({
    name: `python ${args.slice(0, 3).join(' ')}`,
    command: testPython(),
    args,
    env: pythonEnvironment(env),
  });
}

/**
 * Runs a program (`-c` text when it has a line break or blank, else a file) with `input` on its stdin and resolves to its
 * stdout. Rejects with what it printed when it fails or takes longer than `timeoutMs`.
 */
export async function runPython(script: string, input = '', timeoutMs = 60_000): Promise<string> {
  const python = startProcess({
    name: 'python script',
    command: testPython(),
    args: /\s/.test(script) ? ['-c', script] : [script],
    env: pythonEnvironment(),
    input,
  });
  const { code } = await within(python.exited, timeoutMs, 'the Python script').finally(() => {
    if (python.running()) void python.kill('SIGKILL');
  });
  if (code !== 0) throw new Error(`the Python script failed (${code ?? 'signal'}):\n${python.output()}`);
  return python.stdout();
}
