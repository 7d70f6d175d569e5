import type { AuditTrail } from '../core/identity/audit.ts';
import { HistoryUnavailable } from '../core/query/reader.ts';
import type { Logger } from '../lib/logger.ts';

/** Of an agent that keeps no history: what is done stands in the log alone. */
export function logAudit(logger: Logger): AuditTrail {
  return {
    record: (entry) => {
      logger.info({ audit: entry }, 'audit');
      return Promise.resolve();
    },
    read: () => Promise.reject(new HistoryUnavailable('the agent keeps no history, and no audit in it')),
  };
}
