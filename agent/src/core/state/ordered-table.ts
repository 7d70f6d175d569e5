const { imul } = Math;
const LEAST_CAPACITY = 16;
/** Differs from process to process: what a sender chooses as keys must not decide where they lie. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;

/**
 * A map for entries that come and go without end, in the order in which they were put in.
 *
 * Why no `Map`: when one is full, V8 gives it a new table, and the old table keeps a pointer to the new one. One table
 * that lived long enough for the old generation thus keeps alive all that come after it, with whatever was in them, and
 * nothing dies young any more (docs/performance.md). Here the same arrays are written over.
 */
export class OrderedTable<V> {
  /** Entries in order; a deleted one leaves a hole. */
  #keys: (string | undefined)[] = [];
  #values: (V | undefined)[] = [];
  #hashes = new Int32Array(0);
  /** Open addressing by hash, twice as large as the entries: 1 + place of an entry, 0: empty. */
  #index = new Int32Array(0);
  /** All before it are holes. */
  #first = 0;
  #end = 0;
  #size = 0;

  constructor() {
    this.clear();
  }

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#allocate(LEAST_CAPACITY);
    this.#first = this.#end = this.#size = 0;
  }

  get(key: string): V | undefined {
    const held = this.#index[this.#slot(key, hashOf(key))] ?? 0;
    return held === 0 ? undefined : this.#values[held - 1];
  }

  /** Behind all others, unless the key is held: its value is then replaced where it is. */
  set(key: string, value: V): void {
    const hash = hashOf(key);
    const held = this.#index[this.#slot(key, hash)] ?? 0;
    if (held !== 0) {
      this.#values[held - 1] = value;
      return;
    }
    if (this.#end === this.#hashes.length) this.#makeRoom();
    this.#put(key, value, hash);
    this.#size += 1;
  }

  delete(key: string): boolean {
    const slot = this.#slot(key, hashOf(key));
    if (this.#index[slot] === 0) return false;
    this.#remove(slot);
    return true;
  }

  /** Takes out the value that was put in before all others; undefined when there is none. */
  shift(): V | undefined {
    while (this.#first < this.#end && this.#keys[this.#first] === undefined) this.#first += 1;
    const [key, value] = [this.#keys[this.#first], this.#values[this.#first]];
    if (key === undefined) return undefined;
    this.#remove(this.#slot(key, this.#hashes[this.#first] ?? 0));
    return value;
  }

  /** In order. Entries may come and go during the walk: it leaves out those that come, and those that go before their turn. */
  *values(): Generator<V, void> {
    const keys = this.#keys.slice(this.#first, this.#end);
    for (const key of keys) {
      const value = key === undefined ? undefined : this.get(key);
      if (value !== undefined) yield value;
    }
  }

  /** Slot of the key, or the empty one where it would be. */
  #slot(key: string, hash: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const held = index[slot] ?? 0;
      if (held === 0 || (this.#hashes[held - 1] === hash && this.#keys[held - 1] === key)) return slot;
    }
  }

  #put(key: string, value: V, hash: number): void {
    const at = this.#end++;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#hashes[at] = hash;
    const mask = this.#index.length - 1;
    let slot = hash & mask;
    while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
    this.#index[slot] = at + 1;
  }

  #remove(slot: number): void {
    const at = (this.#index[slot] ?? 0) - 1;
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    this.#emptySlot(slot);
  }

  /** Moves up those behind the slot that would not be found past an empty one. */
  #emptySlot(slot: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = slot;
    for (let at = (hole + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const held = index[at] ?? 0;
      const home = (this.#hashes[held - 1] ?? 0) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[hole] = held;
      hole = at;
    }
    index[hole] = 0;
  }

  /** Closes the holes, or doubles the room where there are few. */
  #makeRoom(): void {
    const [keys, values, hashes, end] = [this.#keys, this.#values, this.#hashes, this.#end];
    if (this.#size > end * 0.75) this.#allocate(end * 2);
    else this.#index.fill(0);
    this.#first = this.#end = 0;
    for (let at = 0; at < end; at++) {
      const [key, value] = [keys[at], values[at]];
      if (key !== undefined && value !== undefined) this.#put(key, value, hashes[at] ?? 0);
    }
    for (let at = this.#end; at < end && keys === this.#keys; at++) keys[at] = values[at] = undefined;
  }

  #allocate(capacity: number): void {
    this.#keys = new Array<undefined>(capacity).fill(undefined);
    this.#values = new Array<undefined>(capacity).fill(undefined);
    this.#hashes = new Int32Array(capacity);
    this.#index = new Int32Array(capacity * 2);
  }
}

/** FNV-1a over the UTF-16 units, 32 bits, its high half folded in. */
function hashOf(key: string): number {
  let hash = SEED;
  for (let at = 0; at < key.length; at++) hash = imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
