import type { Routes } from '../context.ts';
import { textOf } from '../contract/answers.ts';
import type { AgentStatus } from '../ports.ts';

const LINKS = [
  ['api/v1/docs', 'API documentation'],
  ['api/v1/openapi.json', 'OpenAPI document'],
  ['api/v1/status', 'Status'],
  ['api/v1/tasks', 'Tasks'],
  ['api/tasks', 'Tasks, as Flower shows them'],
  ['metrics', 'Prometheus metrics'],
  ['health/ready', 'Readiness'],
] as const;

const schema = {
  tags: ['Agent'],
  summary: 'A page that says what this is',
  response: { 200: textOf('The page', 'text/html') },
};

/** `/`: for people who open the port in a browser. */
export const indexPage: Routes = async (app, { deps }) => {
  app.get('/', { schema, prefixTrailingSlash: 'slash' }, (_request, reply) => {
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return pageOf(deps.status());
  });
  await Promise.resolve();
};

function pageOf(status: AgentStatus): string {
  const links = LINKS.map(([path, text]) => `<li><a href="${path}">${text}</a></li>`).join('\n');
  const notes = [
    ...(status.demo ? ['This is a demo: the events come from a simulated cluster.'] : []),
    ...[status.broker.problem, status.history.problem].filter((problem) => problem !== undefined),
    ...status.warnings,
  ];
  const noteList = notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n');
  const broker = `${escapeHtml(status.broker.displayUrl)} (${status.broker.connected ? 'connected' : 'not connected'})`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Umbel agent</title><style>body{font-family:sans-serif;margin:2rem;max-width:50rem}</style></head>
<body>
<h1>Umbel agent ${escapeHtml(status.version)}</h1>
<p>It watches a Celery cluster for Grafana. The panels and dashboards are in Grafana's Umbel plugin; this port serves its data.</p>
<p>Broker: ${broker}</p>
<ul>
${noteList}
</ul>
<ul>
${links}
</ul>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
