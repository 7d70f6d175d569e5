import { isRecord } from '../../core/wire/envelope.ts';
import { parsePythonJson } from '../../core/wire/json.ts';
import type { RedisCommands } from './commands.ts';
import type { RedisKeys } from './keys.ts';

/** A message that a worker has taken and not acknowledged. */
export interface UnackedMessage {
  /** As it lay in its list, but for blanks. */
  readonly envelope: string;
  readonly exchange: string;
  readonly routingKey: string;
}

/** Entries of the hash fetched at a time. */
const CHUNK = '50';

/**
 * Hands every value of the hash of unacknowledged messages to `onValue` until it answers false; the order is Redis'
 * own. Resolves to false where the budget did not suffice, whose members are counted down. One value may come twice.
 */
export async function scanUnacked(
  { commands, keys }: { readonly commands: RedisCommands; readonly keys: RedisKeys },
  budget: { messages: number; bytes: number },
  onValue: (text: string) => boolean,
): Promise<boolean> {
  let cursor = '0';
  do {
    const reply = await commands.run(({ socket }) => socket.command('HSCAN', keys.unacked, cursor, 'COUNT', CHUNK));
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) return true;
    const values = reply[1].filter((_, index) => index % 2 === 1);
    for (const text of values) {
      if (typeof text !== 'string') continue;
      budget.messages -= 1;
      budget.bytes -= text.length;
      if (!onValue(text)) return true;
    }
    cursor = String(reply[0]);
    if (budget.messages < 0 || budget.bytes < 0) return cursor === '0';
  } while (cursor !== '0');
  return true;
}

/** A value of the hash, `[envelope, exchange, routing_key]`; undefined where it is none, or not of `taskId`. */
export function readUnacked(text: string, taskId?: string): UnackedMessage | undefined {
  const value = parsed(text);
  if (!Array.isArray(value) || !isRecord(value[0])) return undefined;
  const [envelope, exchange, routingKey] = value as [Record<string, unknown>, unknown, unknown];
  if (taskId !== undefined && !isOfTask(envelope, taskId)) return undefined;
  return {
    envelope: JSON.stringify(envelope),
    exchange: typeof exchange === 'string' ? exchange : '',
    routingKey: typeof routingKey === 'string' ? routingKey : '',
  };
}

/** Whether an envelope's text is the message of this task: `headers.id`, in protocol 1 the correlation id. */
export function envelopeOfTask(text: string, taskId: string): boolean {
  const envelope = parsed(text);
  return isRecord(envelope) && isOfTask(envelope, taskId);
}

/** The task that a text with an envelope in it, as it lies in a list or in the hash, is the message of. */
export function taskIdIn(text: string): string | undefined {
  const value = parsed(text);
  const envelope: unknown = Array.isArray(value) ? value[0] : value;
  if (!isRecord(envelope)) return undefined;
  const { headers, properties } = envelope;
  const id = isRecord(headers) && headers['id'] !== undefined ? headers['id'] : undefined;
  const correlated = isRecord(properties) ? properties['correlation_id'] : undefined;
  const found = id ?? correlated;
  return typeof found === 'string' ? found : undefined;
}

function isOfTask({ headers, properties }: Record<string, unknown>, taskId: string): boolean {
  if (isRecord(headers) && headers['id'] !== undefined) return headers['id'] === taskId;
  return isRecord(properties) && properties['correlation_id'] === taskId;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Headers are user data: they may hold a NaN.
  }
  try {
    return parsePythonJson(text);
  } catch {
    return undefined;
  }
}
