import type { CeleryEvent } from '../../core/events/event.ts';
import { pgMicros, saneSeconds } from './days.ts';
import type { RowBuffer } from './row-buffer.ts';
import { clockValue, jsonText, keyId, keyText } from './safe-values.ts';

/** Columns of both event tables in the order of `appendEvent`; the second last but two differs in name only. */
export const TASK_EVENT_COLUMNS = 'occurred_at, identity, received_at, timestamp, clock, task_id, type, worker, fields';
export const WORKER_EVENT_COLUMNS = 'occurred_at, identity, received_at, timestamp, clock, hostname, type, fields';

/** Appends an event as a row of its group's table; `fieldsLimit` bounds the JSON of its fields, in characters. */
export function appendEvent(rows: RowBuffer, event: CeleryEvent, fieldsLimit: number): void {
  rows.startRow(event.group === 'task' ? 9 : 8);
  rows.int8(pgMicros(saneSeconds(event.timestamp)));
  rows.int8(event.identity);
  rows.int8(pgMicros(event.receivedMs / 1000));
  rows.float8(event.timestamp);
  rows.int8(clockValue(event.clock));
  if (event.group === 'task') {
    rows.text(keyId(event.uuid));
    rows.text(keyText(event.type));
  }
  rows.text(keyText(event.hostname));
  if (event.group === 'worker') rows.text(keyText(event.type));
  appendFields(rows, event, fieldsLimit);
}

/**
 * The event's body without what its columns say already. A head field stays when its column holds something else
 * (a clock that is no number, a host name that was cut). Written piece by piece: as one string first it was a sixth of
 * all that the collector had to clear away.
 */
function appendFields(rows: RowBuffer, event: CeleryEvent, limit: number): void {
  const { fields } = event;
  const start = rows.beginText();
  let length = 0;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined || isInColumn(event, key, value)) continue;
    const name = memberName(key);
    rows.append(length === 0 ? '{' : ',');
    rows.append(name);
    length += 1 + name.length + appendValue(rows, value, limit);
    if (length < limit) continue;
    rows.dropText(start);
    rows.cut++;
    rows.text(cutFields(event, limit));
    return;
  }
  rows.append(length === 0 ? '{}' : '}');
  rows.endText(start);
}

/** Returns the length of the JSON, in characters; over the limit nothing is appended. */
function appendValue(rows: RowBuffer, value: unknown, limit: number): number {
  if (typeof value === 'string' && value.length < SHORT && rows.appendQuoted(value)) return value.length + 2;
  const json = jsonOf(value);
  if (json.length < limit) rows.append(json);
  return json.length;
}

function jsonOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'string' && value.length < 20_000 && !NEEDS_ESCAPE.test(value)) return `"${value}"`;
  return jsonText(value);
}

/** Up to this length a text is copied faster in JavaScript than it is looked through and then copied. */
const SHORT = 300;
/** Reprs of arguments hold no double quotes as a rule, so most texts can be copied as they are. */
// eslint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

function isInColumn(event: CeleryEvent, key: string, value: unknown): boolean {
  switch (key) {
    case 'utcoffset':
      return typeof value === 'number';
    case 'timestamp':
      return value === event.timestamp;
    case 'clock':
      return value === event.clock && Number.isSafeInteger(value);
    case 'type':
      return value === event.type && value === keyText(event.type);
    case 'hostname':
      return value === event.hostname && value === keyText(event.hostname);
    case 'uuid':
      return value === event.uuid && value === keyId(event.uuid);
    default:
      return false;
  }
}

const memberNames = new Map<string, string>();

/** `"key":`; the same few names come with every event. */
function memberName(key: string): string {
  const known = memberNames.get(key);
  if (known !== undefined) return known;
  const name = `${jsonText(key)}:`;
  if (memberNames.size < 1000 && key.length < 100) memberNames.set(key, name);
  return name;
}

/** Shortens the largest members until the whole fits; `umbel:cut` tells how long their JSON was. */
function cutFields(event: CeleryEvent, limit: number): string {
  const members = Object.entries(event.fields)
    .filter(([key, value]) => value !== undefined && !isInColumn(event, key, value))
    .map(([key, value]) => ({ key: key.slice(0, 1000), value, json: jsonText(value) }))
    .sort((a, b) => a.json.length - b.json.length);
  const cut: Record<string, number> = {};
  const parts: string[] = [];
  // Small members first: each may take half of what is left, so the many small ones stay whole.
  let left = Math.max(limit - 2000, 0);
  for (const { key, value, json } of members) {
    let kept = json;
    if (json.length > left / 2) {
      kept = typeof value === 'string' ? jsonText(value.slice(0, Math.floor(left / 12))) : 'null';
      if (Object.keys(cut).length < 10) cut[key] = json.length;
    }
    const part = `${jsonText(key)}:${kept}`;
    if (part.length > left) continue;
    parts.push(part);
    left -= part.length;
  }
  return `{${[...parts, `"umbel:cut":${jsonText(cut)}`].join(',')}}`;
}
