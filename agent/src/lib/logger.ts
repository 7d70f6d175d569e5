import type { Logger as PinoLogger } from 'pino';

/** What parts of the agent log through; a child per folder carries `part`. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;
