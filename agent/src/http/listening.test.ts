import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer } from './server.ts';
import { testDeps } from './testing/deps.testkit.ts';

let directory: string;
const path = (name: string): string => join(directory, name);
const pem = (name: string): string => readFileSync(path(name), 'utf8');

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'umbel-tls-'));
  const openssl = (text: string): void =>
    void execFileSync('openssl', text.split(' '), { cwd: directory, stdio: 'pipe' });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  openssl(
    `req -x509 ${key} -keyout server.key -out server.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`,
  );
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -subj /CN=authority`);
  openssl(`req ${key} -keyout client.key -out client.csr -subj /CN=client`);
  openssl('x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The status and the body, or the error's code. */
function ask(request: typeof httpRequest | typeof httpsRequest, options: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ path: '/healthcheck', agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${body}`));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

describe('the server', () => {
  it('speaks HTTPS with a certificate, and asks for one where an authority is given', async () => {
    const tls = { cert: pem('server.pem'), key: pem('server.key') };
    const server = await startServer(testDeps(), { port: 0, tls });
    const trusting = { host: '127.0.0.1', ca: pem('server.pem') };
    expect(server.url).toMatch(/^https:/);
    expect(await ask(httpsRequest, { ...trusting, port: server.port })).toBe('200 OK');
    expect(await ask(httpRequest, { host: '127.0.0.1', port: server.port })).not.toMatch(/^200/);
    await server.close();

    const strict = await startServer(testDeps(), { port: 0, tls: { ...tls, clientCa: pem('ca.pem') } });
    const known = { cert: pem('client.pem'), key: pem('client.key') };
    expect(await ask(httpsRequest, { ...trusting, ...known, port: strict.port })).toBe('200 OK');
    expect(await ask(httpsRequest, { ...trusting, port: strict.port })).not.toMatch(/^200/);
    const stranger = { cert: pem('server.pem'), key: pem('server.key') };
    expect(await ask(httpsRequest, { ...trusting, ...stranger, port: strict.port })).not.toMatch(/^200/);
    await strict.close();
  });

  it('listens on a Unix socket, replaces one that is left over, and no file of another kind', async () => {
    const socketPath = path('agent.sock');
    const leftOver = createServer();
    await new Promise<void>((resolve) => leftOver.listen(socketPath, resolve));
    const server = await startServer(testDeps(), { unixSocket: socketPath });
    expect(server).toMatchObject({ url: `unix:${socketPath}`, port: 0 });
    expect(await ask(httpRequest, { socketPath })).toBe('200 OK');
    expect(await ask(httpRequest, { socketPath, path: '/api/v1/names' })).toMatch(/^200/);
    await server.close();
    leftOver.close();
    writeFileSync(path('file'), 'precious');
    await expect(startServer(testDeps(), { unixSocket: path('file') })).rejects.toThrow();
    expect(pem('file')).toBe('precious');
  });
});
