import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseUrl } from '../../agent/src/postgres/settings.ts';

const TICKS_PER_SECOND = 100; // USER_HZ on Linux

interface Stat {
  readonly parent: number;
  /** Of the process and of its children that have ended. */
  readonly cpuSeconds: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    return { parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}

/** CPU seconds of the processes and of all that descend from them, dead or alive. Each process counts once. */
export function cpuSeconds(roots: readonly number[]): number {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined) stats.set(Number(name), stat);
  }
  const belongs = (pid: number): boolean => {
    if (roots.includes(pid)) return true;
    const parent = stats.get(pid)?.parent;
    return parent !== undefined && parent > 1 && belongs(parent);
  };
  return [...stats].reduce((sum, [pid, stat]) => (belongs(pid) ? sum + stat.cpuSeconds : sum), 0);
}

/** NaN of a process that has ended, as celery-exporter does when Redis cuts it off. */
function memoryLine(pid: number, key: string): number {
  const path = `/proc/${pid}/status`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
}

/** Largest resident size the process ever had, MiB. */
export const peakMiB = (pid: number): number => memoryLine(pid, 'VmHWM');

/** Resident size now, MiB. */
export const residentMiB = (pid: number): number => memoryLine(pid, 'VmRSS');

/** Lines of the postmaster.pid that lies somewhere under the directory (Postgres' miscadmin.h: LOCK_FILE_LINE_*). */
function postmasterLines(directory: string): string[] | undefined {
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('postmaster.pid'),
  );
  return found === undefined ? undefined : readFileSync(join(directory, found), 'utf8').split('\n');
}

/** The main process of the Postgres whose data lies somewhere under the directory. */
export function postmasterUnder(directory: string): number | undefined {
  const lines = postmasterLines(directory);
  return lines === undefined ? undefined : Number(lines[0]);
}

/** Connection URL of the agent's own Postgres, whose data lies somewhere under the directory. @throws when none runs */
export function embeddedUrl(directory: string): string {
  const socketDirectory = postmasterLines(directory)?.[4];
  if (socketDirectory === undefined) throw new Error(`no Postgres runs under ${directory}`);
  return databaseUrl(socketDirectory);
}
