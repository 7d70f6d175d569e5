import type { Routes } from '../context.ts';
import { answers, described, textOf } from '../contract/answers.ts';
import { parameters } from '../contract/parameters.ts';
import { LiveHealthSchema, ReadyHealthSchema, ref, StatusSchema } from '../contract/schemas.ts';

const querystring = parameters({});

const statusSchema = {
  tags: ['Agent'],
  summary: 'How the agent stands',
  querystring,
  response: answers(ref(StatusSchema), 'The status', [400]),
};

/** `/status`. */
export const statusRoutes: Routes = async (app, { deps, seats }) => {
  app.get('/status', { schema: statusSchema }, () => {
    const status = deps.status();
    return {
      ...status,
      otlp: [...status.otlp],
      shedding: [...status.shedding],
      limits: [...status.limits],
      warnings: [...status.warnings],
      slice: status.slice === undefined ? null : { ...status.slice, missing: [...status.slice.missing] },
      uptimeMs: Math.max(deps.clock.now() - status.startedMs, 0),
      live: { subscribers: seats.taken, maxSubscribers: seats.max },
    };
  });
  await Promise.resolve();
};

const liveSchema = {
  tags: ['Agent'],
  summary: 'The process answers',
  response: { 200: described(ref(LiveHealthSchema), 'It does') },
};

const readySchema = {
  tags: ['Agent'],
  summary: 'Broker and history are connected',
  response: {
    200: described(ref(ReadyHealthSchema), 'Both are'),
    503: described(ref(ReadyHealthSchema), 'One is not; `problems` says why'),
  },
};

const exporterSchema = {
  tags: ['Agent'],
  summary: 'As celery-exporter answers: connected or not, in one line',
  response: {
    200: textOf('Broker and history are connected, and the history keeps up', 'text/plain'),
    500: textOf('What is wrong', 'text/plain'),
  },
};

/** `/health/live` and `/health/ready`, for process supervisors, and `/health` as celery-exporter has it. */
export const healthRoutes: Routes = async (app, { deps }) => {
  app.get('/health/live', { schema: liveSchema }, () => ({ status: 'ok' as const }));

  app.get('/health', { schema: exporterSchema }, (_request, reply) => {
    const { broker, history } = deps.status();
    const problems = [
      ...(broker.connected ? [] : [broker.problem ?? 'the broker is not connected']),
      ...(history.enabled && !history.connected ? [history.problem ?? 'the history is not connected'] : []),
    ];
    const text = problems.length === 0 ? `Connected to ${broker.displayUrl}` : problems.join('; ');
    void reply.code(problems.length === 0 ? 200 : 500).type('text/plain; charset=utf-8');
    return text;
  });

  app.get('/health/ready', { schema: readySchema }, (_request, reply) => {
    const { broker, history } = deps.status();
    const hasHistory = !history.enabled || history.connected;
    const ready = broker.connected && hasHistory;
    const problems = [broker.problem, history.problem].filter((problem) => problem !== undefined);
    const status = ready ? ('ready' as const) : ('not-ready' as const);
    void reply.code(ready ? 200 : 503);
    return { status, broker: broker.connected, history: hasHistory, problems };
  });
  await Promise.resolve();
};
