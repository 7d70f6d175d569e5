import { encode as encodeMsgpack } from '@msgpack/msgpack';
import { looksPickled } from '../core/wire/pickle.ts';

/** `None`, pickled: every version of Celery's database backend reads it, whatever its serializer. */
export const PICKLED_NONE = Buffer.from('80024e2e', 'hex');

/**
 * The meta that Celery's `store_result` writes for a state without a result (celery/backends/base.py
 * `_get_result_meta`), in the serializer of what was stored before; JSON, which YAML's reader takes too, otherwise.
 */
export function stateBytes(taskId: string, status: string, before: Buffer | undefined): Buffer {
  const meta = { status, result: null, traceback: null, children: null, date_done: null, task_id: taskId };
  const first = before?.[0] ?? 0;
  if (before !== undefined && looksPickled(before)) return pickled(meta);
  if (first >= 0x80) return Buffer.from(encodeMsgpack(meta));
  const members = Object.entries(meta).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return Buffer.from(`{${members.join(', ')}}`);
}

/** Protocol 2, of texts and None only. */
function pickled(meta: Readonly<Record<string, string | null>>): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };
  const members = Object.entries(meta).flatMap(([key, value]) => [
    text(key),
    value === null ? Buffer.from('N') : text(value),
  ]);
  return Buffer.concat([Buffer.from([0x80, 2, 0x7d, 0x28]), ...members, Buffer.from('u.')]);
}
