/** The newest entries in the order they came; numbered, so that each reader knows where it stands. */
export class Ring<T> {
  private readonly entries: T[] = [];
  private added = 0;

  /** @param capacity entries that are kept; older ones go */
  constructor(private readonly capacity: number) {}

  push(entry: T): void {
    this.entries[this.added % this.capacity] = entry;
    this.added += 1;
  }

  /** Number of the next entry: what a reader who has seen all hands to `since`. */
  get next(): number {
    return this.added;
  }

  /** Entries from the number on, oldest first, and how many of them are gone already. */
  since(number: number): { readonly entries: T[]; readonly missed: number } {
    const first = Math.max(number, this.added - this.capacity, 0);
    const entries: T[] = [];
    for (let index = first; index < this.added; index += 1) {
      const entry = this.entries[index % this.capacity];
      if (entry !== undefined) {
        entries.push(entry);
      }
    }
    return { entries, missed: Math.max(first - number, 0) };
  }
}
