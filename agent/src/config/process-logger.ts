import { type LoggerOptions, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Logger } from '../lib/logger.ts';
import type { Config } from './config.ts';
import { HIDDEN, redactUrlsIn } from './redact.ts';

export type ProcessLogger = Logger;

/** Members of logged objects that are never shown, wherever they stand two levels deep. */
const SECRET_MEMBERS = [
  'password',
  'pass',
  'secret',
  'token',
  'authorization',
  'cookie',
  'databaseUrl',
  'connectionString',
];

/** The agent's log: one line an entry, pretty on a terminal, JSON otherwise; passwords in URLs are hidden everywhere. */
export function createLogger(
  { logLevel, logFormat }: Config['agent'],
  out: NodeJS.WritableStream & { readonly isTTY?: boolean },
): ProcessLogger {
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && out.isTTY === true);
  const options: LoggerOptions = {
    level: logLevel,
    base: null,
    redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: HIDDEN },
    hooks: { streamWrite: redactUrlsIn },
    ...(isPretty ? {} : { timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } }),
  };
  if (!isPretty) return pino(options, out);
  const stream = PinoPretty({
    destination: out,
    colorize: out.isTTY === true,
    translateTime: 'SYS:HH:MM:ss',
    sync: true,
  });
  return pino(options, stream);
}
