interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: (atMs: number) => void;
}

/** What is going to happen, in order of time; equal instants in order of planning (a binary heap). */
export class Agenda {
  readonly #heap: Entry[] = [];
  #planned = 0;

  plan(atMs: number, run: (atMs: number) => void): void {
    const heap = this.#heap;
    heap.push({ atMs, order: this.#planned, run });
    this.#planned += 1;
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#isSooner(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Runs what is due, also what is planned meanwhile. */
  runUntil(nowMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#removeFirst();
      first.run(first.atMs);
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const child = left + 1 < heap.length && this.#isSooner(left + 1, left) ? left + 1 : left;
      if (child >= heap.length || !this.#isSooner(child, parent)) return;
      this.#swap(child, parent);
      parent = child;
    }
  }

  #isSooner(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.atMs === right.atMs ? left.order < right.order : left.atMs < right.atMs;
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
