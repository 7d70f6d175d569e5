import { PickleInput } from './pickle-input.ts';
import { reduced } from './pickle-known.ts';
import { NONE, PickleError, pickledObject } from './pickle-value.ts';
import type { PickleValue } from './pickle-value.ts';

export { PickleError } from './pickle-value.ts';
export type { PickleValue } from './pickle-value.ts';
export { pickleJson, pickleRepr } from './pickle-text.ts';

export interface PickleLimits {
  /** Default 16 MiB. */
  readonly maxBytes?: number;
  /** Instructions, with the values that they copy; default 2,000,000. */
  readonly maxOps?: number;
}

/**
 * Reads a pickle of protocol 0 to 5 as data. It is an interpreter without a single call: classes and functions are
 * names, an object is its name and arguments. Limits bound time and memory; what holds itself stays finite.
 * (Python: Lib/pickle.py, Lib/pickletools.py.)
 * @throws PickleError when it is broken, cut off or beyond a limit; nothing else
 */
export function readPickle(bytes: Uint8Array, limits: PickleLimits = {}): PickleValue {
  const { maxBytes = 16 << 20, maxOps = 2_000_000 } = limits;
  if (bytes.length > maxBytes) throw new PickleError(`${bytes.length} bytes are more than ${maxBytes}`);
  return new Machine(bytes, maxOps).run();
}

/** Whether it begins as the pickles do that Python writes in protocol 2 and above. */
export function looksPickled(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && (bytes[1] ?? 255) >= 2 && (bytes[1] ?? 255) <= 5;
}

/** The machine of pickle.py: a stack, marks on it, and a memo. */
class Machine {
  readonly input: PickleInput;
  stack: PickleValue[] = [];
  readonly #below: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #maxOps: number;
  #left: number;

  constructor(bytes: Uint8Array, maxOps: number) {
    this.input = new PickleInput(bytes);
    this.#maxOps = maxOps;
    this.#left = maxOps;
  }

  run(): PickleValue {
    for (;;) {
      this.spend(1);
      const code = this.input.byte();
      if (code === STOP) return this.pop();
      const op = OPS[code];
      if (op === undefined) throw new PickleError(`byte ${this.input.at - 1} is no instruction`);
      op(this);
    }
  }

  /** Work that one instruction does beside itself counts as so many more. */
  spend(ops: number): void {
    this.#left -= ops;
    if (this.#left < 0) throw new PickleError(`more than ${this.#maxOps} instructions`);
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw new PickleError('it takes from an empty stack');
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw new PickleError('it looks at an empty stack');
    return value;
  }

  mark(): void {
    this.#below.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark. */
  popMark(): PickleValue[] {
    const below = this.#below.pop();
    if (below === undefined) throw new PickleError('it goes back to a mark that is not there');
    const items = this.stack;
    this.stack = below;
    return items;
  }

  /** POP takes a mark away when nothing stands above it. */
  popAny(): void {
    if (this.stack.length > 0) this.stack.pop();
    else this.popMark();
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleError(`it asks for memo ${index}, which is not there`);
    this.push(value);
  }
}

type Op = (machine: Machine) => void;

const STOP = 0x2e;

function text(value: PickleValue): string {
  if (value.kind !== 'str') throw new PickleError('a name is no text');
  return value.value;
}

function tupleItems(value: PickleValue): readonly PickleValue[] {
  if (value.kind !== 'tuple') throw new PickleError('arguments are no tuple');
  return value.items;
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (!('items' in target) || target.kind === 'tuple' || target.kind === 'frozenset') {
    throw new PickleError(`it appends to a ${target.kind}`);
  }
  for (const item of items) target.items.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (!('entries' in target)) throw new PickleError(`it sets members of a ${target.kind}`);
  if (items.length % 2 === 1) throw new PickleError('a key has no value');
  for (let i = 0; i < items.length; i += 2) target.entries.push([items[i] ?? NONE, items[i + 1] ?? NONE]);
}

function build(machine: Machine): void {
  const state = machine.pop();
  const target = machine.top();
  if (target.kind === 'object') target.state = state;
}

function reduce(machine: Machine): void {
  const args = tupleItems(machine.pop());
  machine.push(called(machine, machine.pop(), args));
}

/** A call copies what it is given: a large value out of the memo, given again and again, must not cost nothing. */
function called(machine: Machine, callable: PickleValue, args: readonly PickleValue[]): PickleValue {
  machine.spend(args.reduce((sum, arg) => sum + sizeOf(arg), args.length));
  return reduced(callable, args);
}

const BYTES_PER_OP = 16;

function sizeOf(value: PickleValue): number {
  if ('items' in value) return value.items.length;
  return value.kind === 'str' || value.kind === 'bytes' ? value.value.length / BYTES_PER_OP : 0;
}

function make(machine: Machine, items: readonly PickleValue[]): void {
  const [cls, ...args] = items;
  if (cls === undefined) throw new PickleError('an object without a class');
  machine.push(called(machine, cls, args));
}

function newObjectEx(machine: Machine): void {
  const kwargs = machine.pop();
  const args = tupleItems(machine.pop());
  const cls = machine.pop();
  if (kwargs.kind === 'dict' && kwargs.entries.length === 0) {
    machine.push(called(machine, cls, args));
    return;
  }
  machine.spend(args.length);
  machine.push(pickledObject(cls.kind === 'global' ? cls.name : '?', [...args, kwargs]));
}

function stackGlobal(machine: Machine): void {
  const name = text(machine.pop());
  machine.push({ kind: 'global', name: `${text(machine.pop())}.${name}` });
}

function instance(machine: Machine): void {
  const name = `${machine.input.line()}.${machine.input.line()}`;
  machine.push(reduced({ kind: 'global', name }, machine.popMark()));
}

function tupleOf(machine: Machine, count: number): void {
  const items = Array.from({ length: count }, () => machine.pop()).reverse();
  machine.push({ kind: 'tuple', items });
}

function pairs(machine: Machine): void {
  const items = machine.popMark();
  machine.push({ kind: 'dict', entries: [] });
  setItems(machine, items);
}

const int = (machine: Machine, value: bigint | number): void => machine.push({ kind: 'int', value: BigInt(value) });
const str = (machine: Machine, value: string): void => machine.push({ kind: 'str', value });
const bytes = (machine: Machine, value: Uint8Array): void => machine.push({ kind: 'bytes', value });
const named = (machine: Machine, name: string): void => machine.push({ kind: 'global', name });

function decimalText(machine: Machine): void {
  const line = machine.input.line();
  if (line === '00' || line === '01') {
    machine.push({ kind: 'bool', value: line === '01' });
    return;
  }
  int(machine, machine.input.decimal(line));
}

function afterPop(machine: Machine, apply: (machine: Machine, items: PickleValue[]) => void, count: number): void {
  const items = Array.from({ length: count }, () => machine.pop()).reverse();
  apply(machine, items);
}

function afterMark(machine: Machine, apply: (machine: Machine, items: PickleValue[]) => void): void {
  const items = machine.popMark();
  apply(machine, items);
}

/** pickletools.py, by opcode. Letters are the protocols 0 and 1, numbers what came later. */
const TABLE: readonly (readonly [string | number, Op])[] = [
  ['(', (m) => m.mark()],
  ['0', (m) => m.popAny()],
  ['1', (m) => void m.popMark()],
  ['2', (m) => m.push(m.top())],
  ['N', (m) => m.push(NONE)],
  ['I', decimalText],
  ['L', (m) => int(m, m.input.decimal(m.input.line().replace(/L$/, '')))],
  ['J', (m) => int(m, m.input.int32())],
  ['K', (m) => int(m, m.input.byte())],
  ['M', (m) => int(m, m.input.uint16())],
  ['F', (m) => m.push({ kind: 'float', value: m.input.float(m.input.line()) })],
  ['G', (m) => m.push({ kind: 'float', value: m.input.double() })],
  ['S', (m) => str(m, m.input.quoted())],
  ['T', (m) => str(m, m.input.latin1(m.input.uint32()))],
  ['U', (m) => str(m, m.input.latin1(m.input.byte()))],
  ['V', (m) => str(m, m.input.rawUnicode())],
  ['X', (m) => str(m, m.input.utf8(m.input.uint32()))],
  ['B', (m) => bytes(m, m.input.take(m.input.uint32()))],
  ['C', (m) => bytes(m, m.input.take(m.input.byte()))],
  [')', (m) => m.push({ kind: 'tuple', items: [] })],
  [']', (m) => m.push({ kind: 'list', items: [] })],
  ['}', (m) => m.push({ kind: 'dict', entries: [] })],
  ['t', (m) => m.push({ kind: 'tuple', items: m.popMark() })],
  ['l', (m) => m.push({ kind: 'list', items: m.popMark() })],
  ['d', pairs],
  ['a', (m) => afterPop(m, append, 1)],
  ['e', (m) => afterMark(m, append)],
  ['s', (m) => afterPop(m, setItems, 2)],
  ['u', (m) => afterMark(m, setItems)],
  ['p', (m) => m.remember(m.input.index())],
  ['q', (m) => m.remember(m.input.byte())],
  ['r', (m) => m.remember(m.input.uint32())],
  ['g', (m) => m.recall(m.input.index())],
  ['h', (m) => m.recall(m.input.byte())],
  ['j', (m) => m.recall(m.input.uint32())],
  ['c', (m) => named(m, `${m.input.line()}.${m.input.line()}`)],
  ['i', instance],
  ['o', (m) => make(m, m.popMark())],
  ['R', reduce],
  ['b', build],
  ['P', (m) => m.push(pickledObject('persistent_load', [{ kind: 'str', value: m.input.line() }]))],
  ['Q', (m) => m.push(pickledObject('persistent_load', [m.pop()]))],
  [0x80, (m) => m.input.protocol()],
  [0x81, reduce],
  [0x82, (m) => named(m, `copyreg.extension${m.input.byte()}`)],
  [0x83, (m) => named(m, `copyreg.extension${m.input.uint16()}`)],
  [0x84, (m) => named(m, `copyreg.extension${m.input.int32()}`)],
  [0x85, (m) => tupleOf(m, 1)],
  [0x86, (m) => tupleOf(m, 2)],
  [0x87, (m) => tupleOf(m, 3)],
  [0x88, (m) => m.push({ kind: 'bool', value: true })],
  [0x89, (m) => m.push({ kind: 'bool', value: false })],
  [0x8a, (m) => int(m, m.input.littleInteger(m.input.byte()))],
  [0x8b, (m) => int(m, m.input.littleInteger(m.input.uint32()))],
  [0x8c, (m) => str(m, m.input.utf8(m.input.byte()))],
  [0x8d, (m) => str(m, m.input.utf8(m.input.uint64()))],
  [0x8e, (m) => bytes(m, m.input.take(m.input.uint64()))],
  [0x8f, (m) => m.push({ kind: 'set', items: [] })],
  [0x90, (m) => afterMark(m, append)],
  [0x91, (m) => m.push({ kind: 'frozenset', items: m.popMark() })],
  [0x92, newObjectEx],
  [0x93, stackGlobal],
  [0x94, (m) => m.memoize()],
  [0x95, (m) => void m.input.uint64()],
  [0x96, (m) => bytes(m, m.input.take(m.input.uint64()))],
  [0x97, (m) => m.push(pickledObject('buffer outside of the pickle', []))],
  [0x98, () => undefined],
];

const OPS: (Op | undefined)[] = [];
for (const [code, op] of TABLE) OPS[typeof code === 'number' ? code : code.charCodeAt(0)] = op;
