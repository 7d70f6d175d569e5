import { labelText } from './label-text.ts';
import type { Sample, SampleFamily } from './series.ts';

/** One series of a table: the family's label values in its order, and the value. */
export type Row = readonly [value: number, ...labels: readonly string[]];

/**
 * A family whose series are told all at once, again and again: what is no longer told is gone. Bounded like every
 * family; what finds no room is counted once, as long as it is told.
 */
export class GaugeTable {
  readonly #family: SampleFamily;
  readonly #maxRows: number;
  readonly #samples = new Map<string, Sample>();
  #left = new Set<string>();

  /** `maxRows`: 0 = no limit. */
  constructor(family: SampleFamily, maxRows: number) {
    this.#family = family;
    this.#maxRows = maxRows > 0 ? maxRows : Infinity;
  }

  replace(rows: Iterable<Row>): void {
    const told = new Map<string, Row>();
    const left = new Set<string>();
    for (const row of rows) {
      if (!Number.isFinite(row[0])) continue;
      const key = row.slice(1).join('\u0000');
      if (told.size < this.#maxRows || told.has(key)) told.set(key, row);
      else left.add(key);
    }
    for (const key of left) if (!this.#left.has(key)) this.#family.dropped += 1;
    this.#left = left;
    for (const [key, sample] of this.#samples) {
      if (told.has(key)) continue;
      this.#family.release(sample);
      this.#samples.delete(key);
    }
    for (const [key, [value, ...labels]] of told) this.#sample(key, labels).value = value;
  }

  #sample(key: string, labels: readonly string[]): Sample {
    let sample = this.#samples.get(key);
    if (sample === undefined) {
      sample = this.#family.acquire(...labels.map(labelText));
      this.#samples.set(key, sample);
    }
    return sample;
  }
}
