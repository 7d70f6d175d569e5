import type { FamilySpec } from './families.ts';
import { labelPairs } from './label-text.ts';

/**
 * Why not prom-client's Counter and Histogram: `inc(labels)` costs 0.45 µs and `observe(labels)` 0.52 µs, a child from
 * `labels()` 0.35 and 0.50, since each call hashes and validates the labels again; a task event moves up to four
 * series. Here the caller keeps the series object itself and adds to its number. Besides, prom-client can neither
 * bound nor share a family, nor print `le` as Python does.
 */

/** One counter or gauge. Whoever acquired it writes `value`. */
export class Sample {
  /** `a="x",b="y"`, without braces. */
  readonly labels: string;
  createdMs: number;
  value = 0;
  users = 0;

  constructor(labels: string, createdMs: number) {
    this.labels = labels;
    this.createdMs = createdMs;
  }

  /** Counts from 0 again. */
  restart(nowMs: number): void {
    this.value = 0;
    this.createdMs = nowMs;
  }
}

/** The last observation that came with a trace, of one bucket. */
export interface Exemplar {
  rootId: string;
  value: number;
  /** Epoch seconds. */
  timestamp: number;
}

/** One label set of a histogram. */
export class HistogramSeries {
  readonly labels: string;
  createdMs: number;
  readonly #bounds: readonly number[];
  /** Not cumulative; the last one is beyond every bound. */
  readonly counts: number[];
  exemplars: (Exemplar | undefined)[] | undefined = undefined;
  sum = 0;
  users = 0;

  constructor(labels: string, createdMs: number, bounds: readonly number[]) {
    this.labels = labels;
    this.createdMs = createdMs;
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts from 0 again. */
  restart(nowMs: number): void {
    this.counts.fill(0);
    this.sum = 0;
    this.exemplars = undefined;
    this.createdMs = nowMs;
  }

  /** Adds a finite value; below 0 it counts as 0, because a sum that falls would read as a restart. */
  observe(value: number, rootId = '', timestamp = 0): void {
    const observed = value > 0 ? value : 0;
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && observed > (bounds[index] ?? Infinity)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += observed;
    if (rootId !== '') {
      this.exemplars ??= [];
      const held = (this.exemplars[index] ??= { rootId, value: observed, timestamp });
      // Written over rather than replaced: an object an observation would keep the garbage collector busy.
      held.rootId = rootId;
      held.value = observed;
      held.timestamp = timestamp;
    }
  }
}

export interface FamilyLimits {
  /** Most label sets; 0 = no limit. */
  readonly maxLabelSets: number;
  readonly now: () => number;
}

/** Series of one family by label set. A label set lives while somebody holds it. */
export abstract class Family<S extends Sample | HistogramSeries> {
  readonly spec: FamilySpec;
  readonly #limits: FamilyLimits;
  readonly #byLabels = new Map<string, S>();
  readonly #seriesPerSet: number;
  /** Label sets that found no room. */
  dropped = 0;
  /** False: it is kept up to date, but another agent shows it. */
  isShown = true;

  constructor(spec: FamilySpec, limits: FamilyLimits, seriesPerSet: number) {
    this.spec = spec;
    this.#limits = limits;
    this.#seriesPerSet = seriesPerSet;
  }

  protected abstract create(labels: string, createdMs: number): S;

  /** The series of these label values, one for each of `spec.labels`; `other` when the family is full. */
  acquire(...values: readonly string[]): S {
    const labels = labelPairs(this.spec.labels, values);
    const known = this.#byLabels.get(labels);
    const series = known ?? this.#make(labels, values);
    series.users += 1;
    return series;
  }

  /** Lets go of an acquired series; the last holder takes it out of the output. */
  release(series: S): void {
    series.users -= 1;
    const isShown = this.#byLabels.get(series.labels) === series;
    if (isShown && series.users <= 0) this.#byLabels.delete(series.labels);
  }

  get labelSets(): number {
    return this.#byLabels.size;
  }

  /** Series in the output. */
  get size(): number {
    return this.#byLabels.size * this.#seriesPerSet;
  }

  values(): Iterable<S> {
    return this.#byLabels.values();
  }

  /** Shown from now on, or not any more. What was counted while nobody could see it is not told afterwards. */
  show(isShown: boolean): void {
    if (isShown && !this.isShown && this.spec.type !== 'gauge') {
      const nowMs = this.#limits.now();
      for (const series of this.values()) series.restart(nowMs);
    }
    this.isShown = isShown;
  }

  #make(labels: string, values: readonly string[]): S {
    const { maxLabelSets, now } = this.#limits;
    const isFull = maxLabelSets > 0 && this.#byLabels.size >= maxLabelSets;
    if (!isFull) return this.#store(labels, this.create(labels, now()));
    this.dropped += 1;
    // The sum of states of many tasks means nothing, so a gauge without room is not shown at all.
    if (this.spec.type === 'gauge') return this.create(labels, now());
    const rest = labelPairs(
      this.spec.labels,
      values.map((value, i) => (this.spec.labels[i] === 'type' ? value : 'other')),
    );
    const other = this.#byLabels.get(rest) ?? this.#store(rest, this.create(rest, now()));
    // One user that never lets go: what was counted there must not start again.
    if (other.users === 0) other.users = 1;
    return other;
  }

  #store(labels: string, series: S): S {
    this.#byLabels.set(labels, series);
    return series;
  }
}

export class SampleFamily extends Family<Sample> {
  constructor(spec: FamilySpec, limits: FamilyLimits) {
    super(spec, limits, 1);
  }

  protected create(labels: string, createdMs: number): Sample {
    return new Sample(labels, createdMs);
  }
}

export class HistogramFamily extends Family<HistogramSeries> {
  readonly bounds: readonly number[];

  constructor(spec: FamilySpec, limits: FamilyLimits, bounds: readonly number[]) {
    super(spec, limits, bounds.length + SERIES_BESIDE_BUCKETS);
    this.bounds = bounds;
  }

  protected create(labels: string, createdMs: number): HistogramSeries {
    return new HistogramSeries(labels, createdMs, this.bounds);
  }
}

/** The bucket `+Inf`, `_sum` and `_count`. */
const SERIES_BESIDE_BUCKETS = 3;
