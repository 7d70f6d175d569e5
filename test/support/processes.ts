import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { platform, userInfo } from 'node:os';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { closeAtEnd } from './cleanup.ts';
import { waitFor, within } from './wait.ts';

const OUTPUT_KEPT = 2_000_000;
const DRAIN_MS = 500;
/** A child that prints without end is waited for no longer. */
const DRAIN_ROUNDS = 10;
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

export interface ProcessOptions {
  /** For messages only. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Runs as this user; only possible for root. */
  readonly user?: string | undefined;
  readonly input?: string;
  /** Leaves its stdin open for `write()`. */
  readonly keepInput?: boolean;
  /** Sent by `stop()`, default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Sent by the kernel when the test process dies, even by SIGKILL (Linux with util-linux), default SIGKILL. */
  readonly deathSignal?: 'KILL' | 'QUIT' | 'TERM';
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  running(): boolean;
  /** What it printed on both streams, at most the newest 2 MB. */
  output(): string;
  /** What it printed on stdout alone, whole. */
  stdout(): string;
  /** To its stdin, if that was kept open. */
  write(text: string): void;
  /** Resolves to the match; rejects with the output when the process ends or the time is over before. */
  printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** Sends the signal to the process alone and resolves when it has ended. */
  kill(signal: NodeJS.Signals): Promise<ExitStatus>;
  /** Ends it politely, after `graceMs` (default 10 s) by force, with its whole process group. */
  stop(graceMs?: number): Promise<ExitStatus>;
}

function commandLine(options: ProcessOptions): [string, string[]] {
  const { command, args, user, deathSignal = 'KILL' } = options;
  if (SETPRIV === undefined) {
    if (user !== undefined && user !== userInfo().username) throw new Error('running as another user needs setpriv');
    return [command, [...args]];
  }
  const identity = user === undefined ? [] : ['--reuid', user, '--regid', user, '--init-groups'];
  return [SETPRIV, [...identity, '--pdeathsig', deathSignal, '--', command, ...args]];
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal); // the group is gone; the child may be a zombie still
  }
}

/** Starts a real program. It ends with the test file, and on Linux with the test process whatever happens to that. */
export function startProcess(options: ProcessOptions): ManagedProcess {
  const [command, args] = commandLine(options);
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that it can be ended with all its children
  });
  child.stdin.on('error', () => undefined); // it may end without having read
  if (options.input !== undefined) child.stdin.write(options.input);
  if (options.keepInput !== true) child.stdin.end();
  const managed = new Managed(options, child);
  closeAtEnd({
    close: async () => {
      await managed.stop();
    },
  });
  return managed;
}

class Managed implements ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  readonly #child: ChildProcess;
  readonly #stopSignal: NodeJS.Signals;
  readonly #stdout: string[] = [];
  #pieces = 0;
  #output = '';
  #status: ExitStatus | undefined;

  constructor(options: ProcessOptions, child: ChildProcess) {
    this.name = options.name;
    this.pid = child.pid ?? -1;
    this.#child = child;
    this.#stopSignal = options.stopSignal ?? 'SIGTERM';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout.push(text);
      this.#keep(text);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#status ??= { code, signal };
        const drained = () => resolve(this.#status ?? { code, signal });
        child.on('close', drained);
        void this.#quiet().then(drained); // a child of its own may hold the pipes open
      };
      child.on('error', (error) => {
        this.#keep(String(error));
        end(-1, null);
      });
      child.on('exit', end);
    });
  }

  running(): boolean {
    return this.#status === undefined;
  }

  output(): string {
    return this.#output;
  }

  stdout(): string {
    return this.#stdout.join('');
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  async printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const match = await waitFor(
      () => pattern.exec(this.#output) ?? (this.#status === undefined ? undefined : 'ended'),
      timeoutMs,
      `${this.name} printing ${String(pattern)}`,
    ).catch((error: unknown) => {
      throw new Error(`${this.name} did not print ${String(pattern)}; its output:\n${this.#output}`, { cause: error });
    });
    if (match === 'ended') throw new Error(`${this.name} ended early; its output:\n${this.#output}`);
    return match;
  }

  async kill(signal: NodeJS.Signals): Promise<ExitStatus> {
    if (this.running()) this.#child.kill(signal);
    return this.exited;
  }

  async stop(graceMs = 10_000): Promise<ExitStatus> {
    if (this.running()) {
      this.#child.kill(this.#stopSignal);
      await within(this.exited, graceMs, `stopping ${this.name}`).catch(() => undefined);
    }
    signalGroup(this.#child, 'SIGKILL');
    return this.exited;
  }

  /** Resolves when nothing comes any more; what lies in the pipes is read first, however late this process is. */
  async #quiet(): Promise<void> {
    for (let round = 0, before = -1; round < DRAIN_ROUNDS && this.#pieces !== before; round++) {
      before = this.#pieces;
      await sleep(DRAIN_MS, undefined, { ref: false });
      await turn();
    }
  }

  #keep(text: string): void {
    this.#pieces += 1;
    this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
  }
}

/** Whether a process with this id runs; one that has ended and waits for its parent does not. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (platform() !== 'linux') return true;
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves once none of the processes exists any more. */
export async function processesGone(pids: readonly number[], timeoutMs: number): Promise<void> {
  await waitFor(() => !pids.some(processExists), timeoutMs, `the end of the processes ${pids.join(', ')}`);
}
