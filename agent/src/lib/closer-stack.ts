/** Anything that was opened and must be let go of. */
export interface Closable {
  close(): Promise<void> | void;
}

/** Closes what was opened, last opened first; one failing close does not keep the others open. */
export class CloserStack {
  readonly #open: Closable[] = [];

  use<T extends Closable>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  /** Rejects with an `AggregateError` of every close that failed, after all were tried. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      try {
        await resource.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some parts did not close');
  }
}
