import type { TaskArguments } from '../core/control/service.ts';
import { decompress } from '../core/wire/compression.ts';
import { MAX_BODY_BYTES } from '../core/wire/envelope.ts';
import { elementTexts } from '../core/wire/json-slice.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { taskPartsOf } from '../core/wire/task-parts.ts';

export interface QueuedTask extends TaskArguments {
  readonly name: string;
}

/**
 * Name and arguments of a task message of protocol 2 as it lies in the broker, their JSON texts cut out untouched. A
 * text says why that is not possible: another serializer, or protocol 1.
 */
export function readQueuedTask(raw: RawMessage): QueuedTask | string {
  try {
    return read(raw);
  } catch (error) {
    return `the waiting message cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function read(raw: RawMessage): QueuedTask | string {
  const { body, contentType, headers } = taskPartsOf(raw);
  const name = headers['task'];
  if (typeof name !== 'string') return 'the waiting message is of protocol 1';
  if (contentType !== 'application/json') return `the waiting message is not JSON but ${contentType}`;
  const { compression } = headers;
  const plain = typeof compression === 'string' ? decompress(body, compression, MAX_BODY_BYTES) : body;
  const [argsJson, kwargsJson] = elementTexts(plain.toString()) ?? [];
  if (argsJson === undefined || kwargsJson === undefined) return 'the waiting message is of protocol 1';
  return { name, argsJson, kwargsJson };
}
