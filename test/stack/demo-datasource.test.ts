import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { closeAtEnd, temporaryDirectory } from '../support/cleanup.ts';
import { ROOT } from '../support/paths.ts';

describe('the data source of the demo', () => {
  it('is not there without the demo', () => {
    const directory = join(ROOT, 'provisioning/grafana/datasources');
    const texts = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
    expect(texts.join('\n')).not.toContain('agent-rabbitmq');
    const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    expect(compose).toMatch(/\n {2}demo-datasource:\n {4}image: .*\n {4}profiles: \[demo\]\n/);
  });

  it('is made in Grafana when it is missing, renewed when it is not, and a refusal is told', async () => {
    const secrets = await temporaryDirectory('demo-datasource');
    writeFileSync(join(secrets, 'grafana_admin_password'), 'secret\n');
    writeFileSync(join(secrets, 'umbel_grafana_token'), 'token\n');
    const asked: { request: string; login: string; body: unknown }[] = [];
    let statuses: number[] = [];
    // Stands for Grafana's API, of which there is none here.
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const login = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString();
        asked.push({
          request: `${request.method ?? ''} ${request.url ?? ''}`,
          login,
          body: JSON.parse(body) as unknown,
        });
        response.writeHead(statuses.shift() ?? 500).end('no');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closeAtEnd({
      close: () => {
        server.closeAllConnections();
        server.close();
        return Promise.resolve();
      },
    });
    const { port } = server.address() as AddressInfo;
    const env = { ...process.env, GRAFANA_URL: `http://127.0.0.1:${port}`, SECRETS_DIR: secrets };
    const run = async (...answers: number[]): Promise<void> => {
      statuses = answers;
      await promisify(execFile)(process.execPath, [join(ROOT, 'provisioning/demo/datasource.mjs')], { env });
    };
    await run(404, 200);
    expect(asked.map(({ request }) => request)).toEqual([
      'PUT /api/datasources/uid/umbel-rabbitmq',
      'POST /api/datasources',
    ]);
    expect(asked[1]).toMatchObject({
      login: 'admin:secret',
      body: { uid: 'umbel-rabbitmq', url: 'http://agent-rabbitmq:5555', secureJsonData: { token: 'token' } },
    });
    await run(200);
    expect(asked).toHaveLength(3);
    await expect(run(401)).rejects.toThrow(/did not take the data source "Celery \(RabbitMQ demo\)": 401 no/);
  });
});
