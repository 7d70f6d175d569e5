import { describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import WebSocket from 'ws';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { testPython } from '../support/environment.ts';
import { ROOT } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { startProcess } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

const DEPLOY = join(ROOT, 'deploy');
const TOKEN = 'f'.repeat(48);

/** Trusts the certificate of the test alone. */
interface Client {
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; body: string; headers: object }>;
  /** Resolves to what came until `text` was in it. */
  until(path: string, text: string, headers?: Record<string, string>): Promise<string>;
  readonly port: number;
  readonly ca: string;
}

/** deploy/nginx/umbel.conf as it is, but for the port, the upstream's port and the certificate's place. */
async function startNginx(agentPort: number): Promise<Client> {
  const home = await temporaryDirectory('nginx');
  const port = await freePort();
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const [key, certificate] = [join(home, 'key.pem'), join(home, 'certificate.pem')];
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-keyout', key, '-out', certificate, ...subject],
  ]);
  const site = readFileSync(join(DEPLOY, 'nginx/umbel.conf'), 'utf8')
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replace('server 127.0.0.1:5555;', `server 127.0.0.1:${agentPort};`)
    .replace(/ssl_certificate {5}.*;/, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`);
  writeFileSync(join(home, 'umbel.conf'), site);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${home}/${name};`,
  );
  const main = `daemon off; pid ${home}/nginx.pid; error_log stderr; events {}
    http { access_log off; ${paths.join(' ')} include ${home}/umbel.conf; }`;
  writeFileSync(join(home, 'nginx.conf'), main);
  startProcess({ name: 'nginx', command: 'nginx', args: ['-c', join(home, 'nginx.conf'), '-p', home, '-e', 'stderr'] });
  const ca = readFileSync(certificate, 'utf8');
  const agent = new Agent({ ca });
  const open = (
    path: string,
    headers: Record<string, string>,
    onData: (text: string, end: boolean, status: number, headers: object) => boolean,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request({ host: 'localhost', port, path, headers, agent, family: 4 }, (response) => {
        const status = response.statusCode ?? 0;
        const done = (text: string, isEnd: boolean): void => {
          if (!onData(text, isEnd, status, response.headers)) return;
          response.destroy();
          resolve();
        };
        response.setEncoding('utf8');
        response.on('data', (text: string) => done(text, false));
        response.on('end', () => done('', true));
      });
      call.on('error', reject);
      call.end();
    });
  const client: Client = {
    port,
    ca,
    get: async (path, headers = {}) => {
      const answer = { status: 0, body: '', headers: {} };
      await open(path, headers, (text, end, status, given) => {
        Object.assign(answer, { status, body: answer.body + text, headers: given });
        return end;
      });
      return answer;
    },
    until: async (path, wanted, headers = {}) => {
      let body = '';
      await open(path, headers, (text) => (body += text).includes(wanted));
      return body;
    },
  };
  await waitFor(async () => (await client.get('/flower/healthcheck')).status === 200, 15_000, 'nginx');
  return client;
}

describe('nginx', () => {
  it('serves the agent under /flower with TLS: API, server-sent events, WebSocket', async () => {
    const agent = await startAgent({
      args: ['--url-prefix', '/flower', '--no-history', '--tokens', `t:viewer:${TOKEN}`],
    });
    const nginx = await startNginx(Number(new URL(agent.url).port));
    const authorization = `Bearer ${TOKEN}`;
    expect((await nginx.get('/flower')).status).toBe(308);
    expect(await nginx.get('/flower/healthcheck')).toMatchObject({ status: 200, body: 'OK' });
    expect((await nginx.get('/flower/api/v1/status')).status).toBe(401);
    const status = await nginx.get('/flower/api/v1/status', { authorization });
    expect(JSON.parse(status.body)).toMatchObject({ demo: true });
    expect((await nginx.get('/flower/metrics')).body).toContain('flower_events_total');
    expect((await nginx.get('/elsewhere')).status).toBe(404);

    const events = await nginx.until('/flower/api/v1/stream', 'event:', { authorization, accept: 'text/event-stream' });
    expect(events).toMatch(/^event: \w+/m);

    const socket = new WebSocket(`wss://localhost:${nginx.port}/flower/api/v1/ws`, {
      ca: nginx.ca,
      // As a browser sends it, whose page is of this server.
      headers: { authorization, origin: `https://localhost:${nginx.port}` },
      family: 4,
    });
    const message = await new Promise<string>((resolve, reject) => {
      socket.on('message', (data: Buffer) => resolve(data.toString()));
      socket.on('error', reject);
    });
    socket.terminate();
    expect(JSON.parse(message)).toEqual(expect.any(Object));
  }, 90_000);
});

describe('systemd', () => {
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
  if (!hasSystemd) process.stderr.write('SKIPPED: the systemd unit (no systemd-analyze on this machine)\n');
  const unit = join(DEPLOY, 'systemd/umbel-agent.service');
  const whenThere = hasSystemd ? it : it.skip;

  whenThere('takes the unit without a complaint', async () => {
    const home = await temporaryDirectory('systemd');
    const copy = join(home, 'umbel-agent.service');
    copyFileSync(unit, copy);
    writeFileSync(copy, readFileSync(unit, 'utf8').replace('/usr/bin/node', process.execPath));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    const complaints = stderr.split('\n').filter((line) => line.includes('umbel-agent'));
    expect([status, complaints]).toEqual([0, []]);
  });

  whenThere('calls it well protected (exposure below 2 of 10)', () => {
    const answer = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', unit], {
      encoding: 'utf8',
    });
    const [, exposure = '10'] = /exposure level for \S+: (\d+\.\d+)/.exec(answer.stdout) ?? [];
    expect(Number(exposure)).toBeLessThan(2);
    expect(answer.status).toBe(0);
  });

  whenThere('lets V8 call pkey_alloc at its start, for which @system-service alone would end it', () => {
    const sets = [...readFileSync(unit, 'utf8').matchAll(/^SystemCallFilter=(@.*)$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    const calls = execFileSync('systemd-analyze', ['syscall-filter', '--no-pager', ...sets], { encoding: 'utf8' });
    expect(calls).toMatch(/^\s*pkey_alloc$/m);
  });

  it('names only options that there are', () => {
    const text = readFileSync(unit, 'utf8');
    const options = readFileSync(join(ROOT, 'docs/options.md'), 'utf8');
    for (const [, name = ''] of text.matchAll(/(UMBEL_\w+?)(?:_FILE)?=/g)) expect(options).toContain(`\`${name}\``);
  });
});

describe('the Kubernetes manifests', () => {
  it('are valid by the schemas of Kubernetes, unknown members refused', () => {
    const script = join(testPython(), '..', 'kubernetes-validate');
    const { status, stdout, stderr } = spawnSync(script, ['--strict', join(DEPLOY, 'kubernetes/umbel.yaml')], {
      encoding: 'utf8',
    });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.not.stringContaining('ERROR')]);
  });

  it('let the operator scrape the agent as the published alerts expect it', () => {
    // The operator's schema is not at hand: its members are checked by name.
    const [monitor] = documents('servicemonitor.yaml');
    const [service] = documents('umbel.yaml').filter(({ kind }) => kind === 'Service');
    expect(monitor).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' });
    expect(Object.keys(monitor?.spec ?? {}).sort()).toEqual(['endpoints', 'selector']);
    expect(service?.metadata['labels']).toMatchObject(
      (monitor?.spec['selector'] as { matchLabels: object }).matchLabels,
    );
    const [endpoint] = monitor?.spec['endpoints'] as {
      port: string;
      relabelings: { targetLabel: string; replacement: string }[];
    }[];
    expect((service?.spec['ports'] as { name: string }[]).map(({ name }) => name)).toContain(endpoint?.port);
    expect(endpoint?.relabelings).toContainEqual({ targetLabel: 'job', replacement: 'celery' });
  });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

function documents(name: string): Manifest[] {
  const text = readFileSync(join(DEPLOY, 'kubernetes', name), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
