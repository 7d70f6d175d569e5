/**
 * Profile demo: lists the agent of the demo's RabbitMQ among Grafana's data sources. Not provisioned as the others are, for
 * Grafana would list it without the profile too, where nothing answers. Safe to run again; delete it in Grafana when the
 * demo is over.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { GRAFANA_URL = 'http://grafana:3000', SECRETS_DIR = '/run/umbel' } = process.env;
const secret = (name) => readFileSync(join(SECRETS_DIR, name), 'utf8').trim();
const login = Buffer.from(`admin:${secret('grafana_admin_password')}`).toString('base64');

const source = {
  name: 'Celery (RabbitMQ demo)',
  uid: 'umbel-rabbitmq',
  type: 'umbel-celery-datasource',
  access: 'proxy',
  url: 'http://agent-rabbitmq:5555',
  jsonData: { timeout: 30, prometheusUid: 'prometheus', lokiUid: 'loki', tempoUid: 'tempo' },
  secureJsonData: { token: secret('umbel_grafana_token') },
};

const send = (method, path) =>
  fetch(`${GRAFANA_URL}/api/datasources${path}`, {
    method,
    headers: { authorization: `Basic ${login}`, 'content-type': 'application/json' },
    body: JSON.stringify(source),
  });

let answer = await send('PUT', `/uid/${source.uid}`);
if (answer.status === 404) answer = await send('POST', '');
if (!answer.ok) {
  console.error(`Grafana did not take the data source "${source.name}": ${answer.status} ${await answer.text()}`);
  process.exitCode = 1;
}
