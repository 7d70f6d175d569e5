/**
 * Health check for containers without shell: exit code 0 when the agent in this container answers. `live` (default):
 * its process turns; `ready`: broker and history work, too. A program of its own, because the agent's whole code would
 * cost 60 MB at each check. Reads the agent's own variables.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

const { env } = process;
const prefix = (env.UMBEL_URL_PREFIX ?? env.FLOWER_URL_PREFIX ?? '').replace(/^\/*|\/*$/g, '');
const path = `${prefix === '' ? '' : `/${prefix}`}/health/${process.argv[2] === 'ready' ? 'ready' : 'live'}`;
const isTls = Boolean(env.UMBEL_CERTFILE ?? env.FLOWER_CERTFILE);
const address = env.UMBEL_ADDRESS ?? env.FLOWER_ADDRESS ?? '127.0.0.1';

const request = (isTls ? httpsRequest : httpRequest)({
  host: ['0.0.0.0', '::', ''].includes(address) ? '127.0.0.1' : address,
  port: Number(env.UMBEL_PORT ?? env.FLOWER_PORT ?? 5555),
  path,
  rejectUnauthorized: false, // the certificate bears the public name
  timeout: 8000,
});
request.on('response', (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error('no answer within 8 s')));
request.on('error', (error) => {
  console.error(`${path}: ${error.message}`);
  process.exitCode = 1;
});
request.end();
