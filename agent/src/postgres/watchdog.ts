import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** Where a shell finds its tools, whatever the agent's own environment says. */
export const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin';

/**
 * Waits for the end of its input, which comes when the agent dies in whatever way, and then asks the server to stop.
 * The agent writes the server's id, or `off`; if it died before it could, the id is read from postmaster.pid.
 */
const SCRIPT = `
pid=
while read -r line; do pid=$line; done
[ "$pid" = off ] && exit 0
tries=0
while [ $tries -lt 50 ]; do
  if [ -z "$pid" ] && [ -r "$1" ]; then read -r pid < "$1"; fi
  if [ -n "$pid" ]; then kill -INT "$pid"; exit 0; fi
  tries=$((tries + 1))
  sleep 0.1
done
`;

/** Stops the server when the agent is gone. */
export interface Watchdog {
  watch(postmasterPid: number): void;
  /** The server is gone, or no longer to be watched. */
  close(): void;
}

/** Starts the watchdog; to be done before the server is started, so that none is ever unwatched. */
export function startWatchdog(pgData: string, account: Account | undefined): Watchdog {
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'umbel-watchdog', join(pgData, 'postmaster.pid')], {
    ...account,
    cwd: '/',
    detached: true, // outlives the signals that end the agent's group
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: SYSTEM_PATH },
  });
  child.unref();
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  return {
    watch: (postmasterPid) => void child.stdin?.write(`${postmasterPid}\n`),
    close: () => void child.stdin?.end('off\n'),
  };
}
