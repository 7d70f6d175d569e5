import { pythonRepr } from '../query/python-repr.ts';
import { knownByState } from './pickle-known.ts';
import type { PickledObject, PickleValue } from './pickle-value.ts';

const MAX_DEPTH = 200;

/** Ends the writing of a text; stays inside this file. */
class Stop extends Error {}

/**
 * JSON text of the value, integers digit by digit, tagged values as kombu writes them; undefined where it has none (an
 * object, a set, NaN, a key that is no text), holds itself, or is longer than `limit` characters.
 */
export function pickleJson(value: PickleValue, limit: number): string | undefined {
  const parts: string[] = [];
  try {
    writeJson(value, collector(parts, limit), 0);
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
  return parts.join('');
}

/**
 * Python's repr of the value, as far as it is known: an object is `<module.Class(arguments)>`, with its state behind it.
 * Cut at `limit` characters, with `...` at the end.
 */
export function pickleRepr(value: PickleValue, limit: number): string {
  const parts: string[] = [];
  try {
    writeRepr(value, collector(parts, limit), new Set());
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return `${parts.join('').slice(0, Math.max(limit - 3, 0))}...`;
  }
  return parts.join('');
}

type Write = (text: string) => void;

function collector(parts: string[], limit: number): Write {
  let left = limit;
  return (text) => {
    parts.push(text.length > left + 1 ? text.slice(0, left + 1) : text);
    left -= text.length;
    if (left < 0) throw new Stop();
  };
}

function writeJson(value: PickleValue, write: Write, depth: number): void {
  // Something that holds itself gets here too.
  if (depth > MAX_DEPTH) throw new Stop();
  switch (value.kind) {
    case 'none': {
      write('null');
      return;
    }
    case 'bool': {
      write(String(value.value));
      return;
    }
    case 'int': {
      write(value.value.toString());
      return;
    }
    case 'float':
      if (!Number.isFinite(value.value)) throw new Stop();
      {
        write(pythonRepr(value));
        return;
      }
    case 'str': {
      write(JSON.stringify(value.value));
      return;
    }
    case 'bytes': {
      write(`{"__type__": "base64", "__value__": "${Buffer.from(value.value).toString('base64')}"}`);
      return;
    }
    case 'tagged':
      if (value.tag === 'timezone') throw new Stop();
      {
        write(`{"__type__": "${value.tag}", "__value__": ${value.json}}`);
        return;
      }
    case 'list':
    case 'tuple':
      write('[');
      between(value.items, write, (item) => writeJson(item, write, depth + 1));
      {
        write(']');
        return;
      }
    case 'dict':
      write('{');
      between(value.entries, write, ([key, item]) => {
        if (key.kind !== 'str') throw new Stop();
        write(`${JSON.stringify(key.value)}: `);
        writeJson(item, write, depth + 1);
      });
      {
        write('}');
        return;
      }
    case 'object': {
      const known = knownByState(value);
      if (known === undefined) throw new Stop();
      writeJson(known, write, depth);
      return;
    }
    default:
      throw new Stop();
  }
}

function between<T>(items: readonly T[], write: Write, each: (item: T) => void): void {
  items.forEach((item, index) => {
    if (index > 0) write(', ');
    each(item);
  });
}

const BRACKETS = { list: ['[', ']'], tuple: ['(', ')'], set: ['{', '}'], frozenset: ['frozenset({', '})'] } as const;

function writeRepr(value: PickleValue, write: Write, open: Set<PickleValue>): void {
  switch (value.kind) {
    case 'none':
    case 'bool':
    case 'int':
    case 'float':
    case 'str':
    case 'bytes': {
      write(pythonRepr(value));
      return;
    }
    case 'tagged': {
      write(value.repr);
      return;
    }
    case 'global': {
      write(`<${value.name}>`);
      return;
    }
    default:
  }
  if (open.has(value) || open.size >= MAX_DEPTH) {
    write('...');
    return;
  }
  open.add(value);
  if (value.kind === 'dict') writeEntries(value.entries, write, open);
  else if (value.kind === 'object') writeObject(value, write, open);
  else if (value.items.length === 0 && value.kind !== 'list' && value.kind !== 'tuple') write(`${value.kind}()`);
  else {
    const [before, after] = BRACKETS[value.kind];
    write(before);
    between(value.items, write, (item) => writeRepr(item, write, open));
    write(value.kind === 'tuple' && value.items.length === 1 ? ',)' : after);
  }
  open.delete(value);
}

function writeEntries(entries: readonly [PickleValue, PickleValue][], write: Write, open: Set<PickleValue>): void {
  write('{');
  between(entries, write, ([key, item]) => {
    writeRepr(key, write, open);
    write(': ');
    writeRepr(item, write, open);
  });
  write('}');
}

function writeObject(value: PickledObject, write: Write, open: Set<PickleValue>): void {
  const known = knownByState(value);
  if (known !== undefined) {
    write(known.repr);
    return;
  }
  write(`<${value.name}(`);
  between(value.args, write, (item) => writeRepr(item, write, open));
  write(')');
  for (const more of [
    ...(value.items.length > 0 ? [{ kind: 'list', items: value.items } as const] : []),
    ...(value.entries.length > 0 ? [{ kind: 'dict', entries: value.entries } as const] : []),
    ...(value.state === undefined ? [] : [value.state]),
  ]) {
    write(' ');
    writeRepr(more, write, open);
  }
  write('>');
}
