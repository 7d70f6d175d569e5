import { BadValueError, booleanWord, type ValueType } from './value-types.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Words between commas, or the option given several times; empty ones are left out. */
export const words: ValueType<readonly string[]> = {
  hint: 'A,B',
  isList: true,
  parse: (texts) => texts.flatMap(splitCommas),
  show: (value) => (value.length === 0 ? 'none' : value.join(',')),
};

function splitCommas(given: string): string[] {
  return given
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Rising upper bounds of a histogram, without the open last one: `inf` at the end is allowed and means it. */
export const buckets: ValueType<readonly number[]> = {
  hint: 'S,S,…',
  parse(texts) {
    const given = splitCommas((texts.at(-1) ?? '').replaceAll(/[[\]()]/g, ''));
    if (/^\+?inf(inity)?$/i.test(given.at(-1) ?? '')) given.pop();
    const bounds = given.map(Number);
    const isRising = bounds.every((bound, index) => Number.isFinite(bound) && bound > (bounds[index - 1] ?? -Infinity));
    if (bounds.length === 0 || !isRising)
      throw new BadValueError('give rising numbers of seconds, like 0.1,0.5,1,5,10');
    return bounds;
  },
  show: (value) => value.join(','),
};

/** Rising whole numbers from 0, as kombu's `priority_steps`. */
export const steps: ValueType<readonly number[]> = {
  hint: 'N,N,…',
  parse(texts) {
    const given = splitCommas((texts.at(-1) ?? '').replaceAll(/[[\]()]/g, '')).map(Number);
    const isRising = given.every((step, index) => Number.isInteger(step) && step > (given[index - 1] ?? -1));
    if (given.length === 0 || !isRising) throw new BadValueError('give rising whole numbers from 0, like 0,3,6,9');
    return given;
  },
  show: (value) => value.join(','),
};

/** A JSON object, or `KEY=VALUE` once or several times (values JSON where they are JSON, text otherwise). */
export const jsonObject: ValueType<JsonObject | undefined> = {
  hint: 'JSON',
  isList: true,
  parse: (texts) => Object.assign({}, ...texts.map(oneObject)) as JsonObject,
  show: (value) => (value === undefined ? 'none' : JSON.stringify(value)),
};

function oneObject(given: string): JsonObject {
  if (!given.trimStart().startsWith('{'))
    return Object.fromEntries(pairs(given).map(([key, value]) => [key, loose(value)]));
  try {
    return JSON.parse(given) as JsonObject;
  } catch (error) {
    throw new BadValueError('give a JSON object like {"key": "value"}, or KEY=VALUE', { cause: error });
  }
}

function loose(given: string): JsonValue {
  try {
    return JSON.parse(given) as JsonValue;
  } catch {
    return booleanWord(given) !== undefined && /^(true|false)$/i.test(given) ? /^true$/i.test(given) : given;
  }
}

/** `K=V K=V` where every word is a pair (the exporter's environment variables), else one pair. */
function pairs(given: string): [string, string][] {
  const parts = given.trim().split(/\s+/);
  const list = parts.every((part) => /^[^=\s]+=/.test(part)) ? parts : [given.trim()];
  return list.map((part) => {
    const at = part.indexOf('=');
    if (at < 1) throw new BadValueError('give KEY=VALUE');
    return [part.slice(0, at).trim(), part.slice(at + 1)];
  });
}

/** Prometheus labels: `NAME=VALUE`, several times or between commas. */
export const labels: ValueType<Readonly<Record<string, string>>> = {
  hint: 'NAME=VALUE',
  isList: true,
  parse(texts) {
    const found: [string, string][] = texts.flatMap((given) =>
      given.trimStart().startsWith('{')
        ? Object.entries(oneObject(given)).map(([name, value]): [string, string] => [
            name,
            typeof value === 'string' ? value : JSON.stringify(value),
          ])
        : splitCommas(given).flatMap(pairs),
    );
    for (const [name] of found) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('__')) {
        throw new BadValueError(`"${name}" is no Prometheus label name: use letters, digits and _, like cluster=prod`);
      }
    }
    return Object.fromEntries(found);
  },
  show(value) {
    const list = Object.entries(value).map(([name, label]) => `${name}=${label}`);
    return list.length === 0 ? 'none' : list.join(',');
  },
};

/** kombu's `fanout_prefix`: yes, no, or a text of its own. */
export const switchOrText: ValueType<boolean | string> = {
  hint: 'BOOL|TEXT',
  parse(texts) {
    const given = texts.at(-1) ?? '';
    const word = booleanWord(given);
    if (word !== undefined) return word;
    if (!given.startsWith('/') || !given.endsWith('.')) {
      throw new BadValueError('give true, false, or a prefix that starts with / and ends with a dot, like /my.');
    }
    return given;
  },
  show: String,
};

/** Celery's `broker_use_ssl`: yes, no, or its dictionary. */
export const switchOrObject: ValueType<boolean | JsonObject | undefined> = {
  hint: 'BOOL|JSON',
  isList: true,
  isSwitch: true,
  parse(texts) {
    const word = texts.length === 1 ? booleanWord(texts[0] ?? '') : undefined;
    return word ?? jsonObject.parse(texts);
  },
  show: (value) => (typeof value === 'boolean' ? String(value) : jsonObject.show(value)),
};
