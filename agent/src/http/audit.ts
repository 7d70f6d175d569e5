import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditEntry } from '../core/identity/audit.ts';
import type { Role } from '../core/identity/principal.ts';
import type { HttpDeps } from './ports.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route acts: what it is called in the audit, e.g. `task.revoke`. */
    action?: string;
  }
  interface FastifyRequest {
    /** What the audit will hold of this request; undefined for reads. */
    auditNote: AuditNote | undefined;
  }
}

/** What a handler adds to its entry of the audit. */
export interface AuditNote {
  readonly action: string;
  target: string;
  arguments: Readonly<Record<string, unknown>>;
  /** Default: `ok` below 400, else `failed`. */
  outcome?: AuditEntry['outcome'];
  /** Default: the message of the error. */
  detail?: string;
}

/**
 * Writes every request to a route with an `action` into the audit, before it is answered, whatever becomes of it.
 * Must be called after the gate's hook (access.ts), which tells refused requests itself, and before the routes.
 */
export function auditWrites(app: FastifyInstance, { audit, maskArguments, clock }: HttpDeps): void {
  app.decorateRequest('auditNote', undefined);
  app.addHook('onRequest', async (request) => {
    const { action } = request.routeOptions.config;
    if (action !== undefined) request.auditNote = { action, target: targetOf(request), arguments: {} };
    await Promise.resolve();
  });
  app.addHook('onError', async (request, _reply, error) => {
    if (request.auditNote !== undefined) request.auditNote.detail ??= error.message;
    await Promise.resolve();
  });
  app.addHook('onSend', async (request, reply) => {
    const note = request.auditNote;
    if (note === undefined || audit === undefined) return;
    request.auditNote = undefined; // an error while sending would tell it twice
    await audit.record({
      atMs: clock.now(),
      principal: request.principal,
      address: request.ip === '' ? 'unix' : request.ip,
      action: note.action,
      target: note.target,
      arguments: maskArguments?.(note.arguments) ?? note.arguments,
      outcome: note.outcome ?? (reply.statusCode < 400 ? 'ok' : 'failed'),
      detail: note.detail ?? null,
    });
  });
}

/** Every action of the routes registered below here from now on, and the role it needs. */
export function actionsOf(app: FastifyInstance): () => ReadonlyMap<string, Role> {
  const actions = new Map<string, Role>();
  app.addHook('onRoute', ({ config }) => {
    const { action, access }: FastifyContextConfig = config ?? {};
    if (action !== undefined && access !== undefined && access !== 'public') actions.set(action, access);
  });
  return () => actions;
}

/** Tells the audit what a request acts on, and with what. */
export function noteWrite(request: FastifyRequest, members: Partial<Omit<AuditNote, 'action'>>): void {
  if (request.auditNote !== undefined) Object.assign(request.auditNote, members);
}

/** Until the handler says better: what stands in the path. */
function targetOf({ params }: FastifyRequest): string {
  if (typeof params !== 'object' || params === null) return '';
  const [value] = Object.values(params) as unknown[];
  return typeof value === 'string' ? value : '';
}
