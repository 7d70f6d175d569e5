import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { freshDatabase, queryRows } from './database.ts';
import { testRedisUrl } from './environment.ts';
import { parseScrape } from './prometheus-text.ts';
import { processExists, startProcess } from './processes.ts';
import { startRedis } from './redis.ts';
import { waitFor } from './wait.ts';

describe('the harness', () => {
  it('has a Redis and a Postgres for every test file', async () => {
    const redis = new Redis(testRedisUrl());
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    const database = await freshDatabase();
    expect(await queryRows(database.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await database.drop();
    await expect(queryRows(database.url, 'select 1')).rejects.toThrow(/does not exist/);
  });

  it('stops and restarts a Redis on the same port', async () => {
    const server = await startRedis();
    const first = server.pid();
    await server.stop();
    expect(processExists(first)).toBe(false);
    await server.restart();
    const redis = new Redis(server.url);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    await server.kill();
  });

  it('ends a process with its children', async () => {
    const shell = startProcess({ name: 'sh', command: 'sh', args: ['-c', 'sleep 600 & echo child $!; wait'] });
    const [, child] = await shell.printed(/child (\d+)/, 5000);
    await shell.stop();
    await waitFor(() => !processExists(Number(child)), 5000, 'the end of the child');
  });

  it('ends what a killed test process had started', async () => {
    const outer = startProcess({
      name: 'outer',
      command: process.execPath,
      args: [
        '--input-type=module',
        '-e',
        `import { spawn } from 'node:child_process';
         const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sleep', '600'], { detached: true });
         console.log('child', child.pid);`,
      ],
    });
    const [, child] = await outer.printed(/child (\d+)/, 5000);
    await outer.kill('SIGKILL');
    await waitFor(() => !processExists(Number(child)), 5000, 'the end of the child');
  });

  it('reads a scrape', () => {
    const read = parseScrape('# HELP a b\na_total{z="1",b="q\\"\\\\ {x}"} 2\na_total{z="2"} 3.5\nb +Inf\n');
    expect(read.sum('a_total')).toBe(5.5);
    expect(read.sum('a_total', { z: '1' })).toBe(2);
    expect([...read.samples.keys()]).toEqual(['a_total{b="q\\"\\\\ {x}",z="1"}', 'a_total{z="2"}', 'b{}']);
    expect(() => parseScrape('not a sample at all')).toThrow('not a sample');
  });
});
