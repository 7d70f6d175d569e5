import { Type } from 'typebox';
import type { StoredAuditEntry } from '../../core/identity/audit.ts';
import { mayAct, type Role } from '../../core/identity/principal.ts';
import type { Routes } from '../context.ts';
import { answers, READS } from '../contract/answers.ts';
import { AuditSchema, MeSchema } from '../contract/control-schemas.ts';
import { given } from '../contract/filter.ts';
import { fromTo, limit, parameters } from '../contract/parameters.ts';
import { ref } from '../contract/schemas.ts';
import { parseInstant } from '../contract/time.ts';
import { ApiProblem, badParameter } from '../errors.ts';

const tags = ['Audit'];
const OUTCOMES = ['ok', 'failed', 'refused'] as const;

const auditSchema = {
  tags,
  summary: 'Who did what, and who was refused',
  querystring: parameters({
    ...fromTo,
    user: Type.Optional(Type.String({ minLength: 1, description: 'User, token or Grafana login' })),
    actions: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'e.g. `task.revoke`' })),
    outcomes: Type.Optional(Type.Array(Type.Enum([...OUTCOMES]))),
    target: Type.Optional(Type.String({ minLength: 1, description: 'Part of the target' })),
    limit: limit(1000, 100),
    cursor: Type.Optional(Type.String({ minLength: 1, description: '`nextCursor` of the page before' })),
  }),
  response: answers(ref(AuditSchema), 'One page', READS),
};

const meSchema = {
  tags,
  summary: 'Who you are, and what you may do',
  querystring: parameters({}),
  response: answers(ref(MeSchema), 'You', [400]),
};

/** `/audit` and `/me`. @param actionsOf every action of the server and the role it needs */
export const auditRoutes =
  (actionsOf: () => ReadonlyMap<string, Role>): Routes =>
  async (app, { deps, settings }) => {
    app.get('/audit', { schema: auditSchema, config: { access: 'admin' } }, async ({ query }) => {
      if (deps.audit === undefined || deps.history === undefined) {
        const message =
          'The agent keeps no history: the audit is in its log alone. Start it with a database to use this route.';
        throw new ApiProblem(503, 'history-off', message);
      }
      const nowMs = deps.clock.now();
      const { from, to, user, actions, outcomes, target } = query;
      const fromMs = from === undefined ? undefined : parseInstant('from', from, nowMs);
      const toMs = to === undefined ? undefined : parseInstant('to', to, nowMs);
      const filter = given({ fromMs, toMs, user, actions, outcomes, target });
      const found = await deps.audit.read(filter, query.limit + 1, readCursor(query.cursor));
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      const more = found.length > page.length && last !== undefined;
      return { entries: page.map(toEntry), nextCursor: more ? String(last.id) : null };
    });

    app.get('/me', { schema: meSchema, config: { access: 'viewer' } }, ({ principal }) => ({
      ...principal,
      ownRole: principal.ownRole ?? principal.role,
      readOnly: settings.readOnly,
      actions: [...actionsOf()].sort().map(([action, role]) => ({
        ...{ action, role },
        allowed: mayAct(principal.role, role) && !settings.readOnly,
      })),
    }));
    await Promise.resolve();
  };

function toEntry({ id, atMs, principal, address, action, target, arguments: args, outcome, detail }: StoredAuditEntry) {
  return { id, atMs, principal, address, action, target, arguments: args, outcome, detail };
}

function readCursor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw badParameter('cursor', '`cursor` must be the `nextCursor` of the page before.');
}
