import { BadValueError, oneOf, type ValueType } from './value-types.ts';

/** A number from 0 to 1. */
export const ratio: ValueType<number> = {
  hint: '0..1',
  parse(texts) {
    const given = (texts.at(-1) ?? '').trim();
    const value = given === '' ? NaN : Number(given);
    if (!(value >= 0 && value <= 1)) throw new BadValueError('give a number from 0 (none) to 1 (all), like 0.1');
    return value;
  },
  show: String,
};

/** `NAME=VALUE,NAME=VALUE` with percent-encoded values, as OpenTelemetry's environment variables have it. */
export function pairs(what: string, name: RegExp): ValueType<Readonly<Record<string, string>>> {
  return {
    hint: 'NAME=VALUE,…',
    isList: true,
    parse: (texts) =>
      Object.fromEntries(texts.flatMap((given) => given.split(',')).flatMap((pair) => onePair(pair, what, name))),
    show(value) {
      const list = Object.entries(value).map(([key, text]) => `${key}=${text}`);
      return list.length === 0 ? 'none' : list.join(',');
    },
  };
}

function onePair(pair: string, what: string, name: RegExp): [string, string][] {
  if (pair.trim() === '') return [];
  const at = pair.indexOf('=');
  const key = pair.slice(0, at).trim();
  // The value may be a secret, and is not quoted.
  if (at < 1 || !name.test(key)) throw new BadValueError(`give ${what} as NAME=VALUE, several between commas`);
  try {
    return [[key, decodeURIComponent(pair.slice(at + 1).trim())]];
  } catch {
    throw new BadValueError(`the value of ${key} is not percent-encoded: write % as %25, a comma as %2C`);
  }
}

const PROTOCOLS = oneOf(['http/protobuf', 'http/json']);

/** OTLP over HTTP; gRPC, which the same environment variable may ask for, is refused with the way out. */
export const protocol: typeof PROTOCOLS = {
  ...PROTOCOLS,
  parse(texts) {
    if (texts.at(-1)?.trim().toLowerCase() === 'grpc') {
      throw new BadValueError('gRPC is not spoken; give http/protobuf and the port for HTTP, most often 4318');
    }
    return PROTOCOLS.parse(texts);
  },
};
