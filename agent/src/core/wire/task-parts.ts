import { isRecord } from './envelope.ts';
import { parsePythonJson } from './json.ts';
import type { RawMessage } from './message.ts';

/** A task message, its envelope opened and its body left as it is. */
export interface TaskParts {
  /** Compressed where the header `compression` says so. */
  readonly body: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Opens a task message as it lies in the broker. @throws Error where it is none */
export function taskPartsOf({ payload, properties }: RawMessage): TaskParts {
  if (properties !== undefined) {
    return { body: payload, contentType: properties.contentType ?? '', headers: properties.headers ?? {} };
  }
  const envelope = parsed(payload.toString());
  if (!isRecord(envelope)) throw new TypeError('no envelope');
  const { body, headers, properties: told } = envelope;
  if (typeof body !== 'string') throw new TypeError('no body');
  const isBase64 = isRecord(told) && told['body_encoding'] === 'base64';
  return {
    body: Buffer.from(body, isBase64 ? 'base64' : 'utf8'),
    contentType: String(envelope['content-type']),
    headers: isRecord(headers) ? headers : {},
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Headers are user data: they may hold a NaN.
    return parsePythonJson(text);
  }
}
