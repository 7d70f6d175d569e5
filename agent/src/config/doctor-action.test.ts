import { expect, it } from '@jest/globals';
import { loadConfig, requestedAction } from './load.ts';

const load = (argv: readonly string[]) => loadConfig(argv, {}, { hostname: 'h', readFile: () => '' });

it('doctor is a word or a flag, besides options', () => {
  expect(requestedAction(['doctor', '--port', '80'])).toBe('doctor');
  expect(requestedAction(['--port', '80', '--doctor'])).toBe('doctor');
  expect(requestedAction(['--agent-name', 'doctor'])).toBeUndefined();
  expect(load(['doctor', '--port', '80'])).toMatchObject({ doctor: { json: false }, config: { http: { port: 80 } } });
  expect(load(['doctor', '--json']).doctor).toEqual({ json: true });
  expect(load([]).doctor).toBeUndefined();
});
