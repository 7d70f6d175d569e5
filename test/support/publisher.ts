import { join } from 'node:path';
import { ROOT } from './paths.ts';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';

export interface PublishOptions {
  readonly redisUrl: string;
  readonly db?: number;
  /** Three events each. */
  readonly tasks: number;
  /** Events in a message, default 20. */
  readonly batch?: number;
  /** Events per second, default as fast as Redis takes them. */
  readonly rate?: number;
  /** Every kind of malformed message between the good ones. */
  readonly malformed?: boolean;
  /** Encodes everything first and waits for `go()`. */
  readonly wait?: boolean;
}

export interface Published {
  readonly events: number;
  readonly messages: number;
  readonly seconds: number;
}

export interface Publisher {
  readonly process: ManagedProcess;
  readonly done: Promise<Published>;
  /** With `wait`: starts publishing once everything is encoded; resolves when it has begun. */
  go(): Promise<void>;
}

/** test/celery-app/publish.mjs as a process of its own: synthetic events of four workers `w1@bench` … `w4@bench`. */
export function startPublisher(options: PublishOptions): Publisher {
  const { redisUrl, db = 0, tasks, batch = 20, rate, malformed = false, wait = false } = options;
  const args = [join(ROOT, 'test', 'celery-app', 'publish.mjs'), '--url', redisUrl, '--tasks', String(tasks)];
  args.push('--db', String(db), '--batch', String(batch));
  if (rate !== undefined) args.push('--rate', String(rate));
  if (malformed) args.push('--malformed');
  if (wait) args.push('--wait');
  const publisher = startProcess({ name: 'publisher', command: process.execPath, args, cwd: ROOT, keepInput: wait });
  const done = publisher.exited.then(({ code }) => {
    if (code !== 0) throw new Error(`the publisher failed:\n${publisher.output()}`);
    return JSON.parse(publisher.stdout().trim().split('\n').at(-1) ?? '') as Published;
  });
  done.catch(() => undefined); // whoever waits for it still gets the rejection
  return {
    process: publisher,
    done,
    go: async () => {
      await publisher.printed(/ready/, 120_000);
      publisher.write('go\n');
    },
  };
}
