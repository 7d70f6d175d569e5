import { NONE, pickledObject } from './pickle-value.ts';
import type { PickledObject, PickleValue } from './pickle-value.ts';

type Maker = (args: readonly PickleValue[]) => PickleValue | undefined;

/**
 * What `callable(*args)` stands for. A few classes of the standard library are known by name and become data; all
 * others become an object that only tells its name and arguments. Nothing is called.
 */
export function reduced(callable: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (callable.kind !== 'global') return pickledObject(callable.kind === 'object' ? callable.name : '?', args);
  const maker = MAKERS.get(callable.name);
  return maker?.(args) ?? pickledObject(callable.name, args);
}

/** An object that is known by its state: a UUID. Undefined for all others. */
export function knownByState({ name, state }: PickledObject): (PickleValue & { kind: 'tagged' }) | undefined {
  if (name !== 'uuid.UUID' || state?.kind !== 'dict') return undefined;
  const int = state.entries.find(([key]) => key.kind === 'str' && key.value === 'int')?.[1];
  if (int?.kind !== 'int' || int.value < 0n || int.value >> 128n !== 0n) return undefined;
  const hex = int.value.toString(16).padStart(32, '0');
  const dashed = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return tagged('uuid', `{"hex": "${hex}"}`, `UUID('${dashed}')`);
}

const MAKERS = new Map<string, Maker>([
  ...both('set', (args) => collection('set', args)),
  ...both('frozenset', (args) => collection('frozenset', args)),
  ...both('list', (args) => collection('list', args)),
  ...both('tuple', (args) => collection('tuple', args)),
  ...both('dict', (args) => (args.length === 0 ? { kind: 'dict', entries: [] } : undefined)),
  ...both('bytes', bytesOf),
  ...both('bytearray', (args) => bytesOf(args)),
  ['_codecs.encode', encoded],
  ['collections.OrderedDict', (args) => (args.length === 0 ? { kind: 'dict', entries: [] } : undefined)],
  ['collections.defaultdict', () => ({ kind: 'dict', entries: [] })],
  ['decimal.Decimal', decimal],
  ['datetime.datetime', datetime],
  ['datetime.date', date],
  ['datetime.timezone', timezone],
  ['copyreg._reconstructor', reconstructed],
  ['copy_reg._reconstructor', reconstructed],
  ['copyreg.__newobj__', (args) => newObject(args)],
]);

function both(name: string, maker: Maker): [string, Maker][] {
  return [
    [`builtins.${name}`, maker],
    [`__builtin__.${name}`, maker],
  ];
}

/** `cls.__new__(cls, *args)`. */
function newObject([cls, ...args]: readonly PickleValue[]): PickleValue | undefined {
  return cls === undefined ? undefined : reduced(cls, args);
}

/** copyreg's `_reconstructor(cls, base, state)`: an object without arguments of its own, as protocol 0 and 1 have it. */
function reconstructed([cls, base, state]: readonly PickleValue[]): PickleValue | undefined {
  if (cls?.kind !== 'global') return undefined;
  const bare = base?.kind === 'global' && /^(builtins|__builtin__)\.object$/.test(base.name);
  return pickledObject(cls.name, bare || state === undefined ? [] : [state]);
}

function collection(
  kind: 'set' | 'frozenset' | 'list' | 'tuple',
  args: readonly PickleValue[],
): PickleValue | undefined {
  const [from] = args;
  if (from === undefined) return { kind, items: [] };
  return args.length === 1 && 'items' in from && from.kind !== 'object' ? { kind, items: [...from.items] } : undefined;
}

function bytesOf([from, encoding]: readonly PickleValue[]): PickleValue | undefined {
  if (from === undefined) return { kind: 'bytes', value: new Uint8Array() };
  if (from.kind === 'bytes') return from;
  return from.kind === 'str' && encoding?.kind === 'str' ? encoded([from, encoding]) : undefined;
}

/** How bytes are written below protocol 3. */
function encoded([from, encoding]: readonly PickleValue[]): PickleValue | undefined {
  if (from?.kind !== 'str' || encoding?.kind !== 'str') return undefined;
  if (!/^(latin-?1|iso-?8859-?1)$/i.test(encoding.value)) return undefined;
  return { kind: 'bytes', value: Buffer.from(from.value, 'latin1') };
}

function decimal([text]: readonly PickleValue[]): PickleValue | undefined {
  if (text?.kind !== 'str' || !/^[-+\w.]{1,5000}$/.test(text.value)) return undefined;
  return tagged('decimal', `"${text.value}"`, `Decimal('${text.value}')`);
}

/** Ten bytes: year (2), month, day, hour, minute, second, microsecond (3); `fold` is the month's highest bit. */
function datetime(args: readonly PickleValue[]): PickleValue | undefined {
  const bytes = rawBytes(args[0]);
  const zone = args[1] ?? NONE;
  if (bytes?.length !== 10 || args.length > 2) return undefined;
  const offset = zone.kind === 'none' ? '' : offsetOf(zone);
  if (offset === undefined) return undefined;
  const [y1 = 0, y0 = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, u2 = 0, u1 = 0, u0 = 0] = bytes;
  const micros = (u2 << 16) | (u1 << 8) | u0;
  const numbers = [(y1 << 8) | y0, month & 0x7f, day, hour, minute, second, micros];
  const iso =
    `${pad(numbers[0], 4)}-${pad(numbers[1])}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}` +
    `${micros === 0 ? '' : `.${pad(micros, 6)}`}${offset}`;
  while (numbers.length > 5 && numbers.at(-1) === 0) numbers.pop();
  const tz = zone.kind === 'tagged' ? `, tzinfo=${zone.repr}` : '';
  return tagged('datetime', `"${iso}"`, `datetime.datetime(${numbers.join(', ')}${tz})`);
}

function date([packed, more]: readonly PickleValue[]): PickleValue | undefined {
  const bytes = rawBytes(packed);
  if (bytes?.length !== 4 || more !== undefined) return undefined;
  const [y1 = 0, y0 = 0, month = 0, day = 0] = bytes;
  const year = (y1 << 8) | y0;
  return tagged('date', `"${pad(year, 4)}-${pad(month)}-${pad(day)}"`, `datetime.date(${year}, ${month}, ${day})`);
}

/** Whole minutes off UTC; `json` is the offset as it stands in ISO 8601. */
function timezone([delta, more]: readonly PickleValue[]): PickleValue | undefined {
  if (delta?.kind !== 'object' || delta.name !== 'datetime.timedelta' || more !== undefined) return undefined;
  const [days, seconds] = delta.args.map((part) => (part.kind === 'int' ? Number(part.value) : NaN));
  const total = (days ?? NaN) * 86_400 + (seconds ?? NaN);
  if (!Number.isInteger(total) || total % 60 !== 0 || Math.abs(total) >= 86_400) return undefined;
  const minutes = Math.abs(total) / 60;
  const text = `${total < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  const repr = total === 0 ? 'datetime.timezone.utc' : `datetime.timezone(datetime.timedelta(seconds=${total}))`;
  return tagged('timezone', text, repr);
}

function offsetOf(zone: PickleValue): string | undefined {
  return zone.kind === 'tagged' && zone.tag === 'timezone' ? zone.json : undefined;
}

/** Python 2 wrote them as text. */
function rawBytes(value: PickleValue | undefined): Uint8Array | undefined {
  if (value?.kind === 'bytes') return value.value;
  return value?.kind === 'str' && value.value.length <= 10 ? Buffer.from(value.value, 'latin1') : undefined;
}

function tagged(tag: string, json: string, repr: string): PickleValue & { kind: 'tagged' } {
  return { kind: 'tagged', tag, json, repr };
}

function pad(value: number | undefined, width = 2): string {
  return String(value ?? 0).padStart(width, '0');
}
