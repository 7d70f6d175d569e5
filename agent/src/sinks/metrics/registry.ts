import type { ExporterFamily, FamilySpec, FlowerFamily, UmbelFamily } from './families.ts';
import { FAMILIES } from './families.ts';
import type { MetricsOptions } from './options.ts';
import type { FamilyLimits } from './series.ts';
import { isShown, scopeOf, type Shown } from './scope.ts';
import { HistogramFamily, SampleFamily } from './series.ts';

type FamilyName = FlowerFamily | ExporterFamily | UmbelFamily;

/** Seconds; writes to the history take milliseconds when all is well. */
const WRITE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_BUCKETS = [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000];

/** The families of the agent that hold series, made from `FAMILIES` by the options. */
export class FamilyRegistry {
  readonly #byName = new Map<string, SampleFamily | HistogramFamily>();
  readonly #shown: (SampleFamily | HistogramFamily)[] = [];

  constructor(options: MetricsOptions, now: () => number) {
    const limits: FamilyLimits = { maxLabelSets: options.maxLabelSetsPerFamily, now };
    for (const spec of FAMILIES) {
      if (spec.set === 'process') continue;
      const family = make(adjusted(spec, options), bucketsOf(spec, options), limits);
      this.#byName.set(spec.name, family);
      const isShown = spec.set === 'umbel' || (spec.set === 'flower' ? options.flowerSet : options.exporterSet);
      if (isShown) this.#shown.push(family);
    }
  }

  /** The counter or gauge family of this name in `FAMILIES`. */
  samples(name: FamilyName): SampleFamily {
    const family = this.#byName.get(name);
    if (family instanceof SampleFamily) return family;
    throw new TypeError(`${name} is no counter or gauge`);
  }

  histogram(name: FamilyName): HistogramFamily {
    const family = this.#byName.get(name);
    if (family instanceof HistogramFamily) return family;
    throw new TypeError(`${name} is no histogram`);
  }

  /** Decides which families have series in the output. */
  show(shown: Shown): void {
    for (const [name, family] of this.#byName) family.show(isShown(scopeOf(name), family.spec.type, shown));
  }

  /** In the order of the output. */
  shown(): readonly (SampleFamily | HistogramFamily)[] {
    return this.#shown;
  }
}

function make(spec: FamilySpec, buckets: readonly number[], limits: FamilyLimits): SampleFamily | HistogramFamily {
  return spec.type === 'histogram' ? new HistogramFamily(spec, limits, buckets) : new SampleFamily(spec, limits);
}

function adjusted(spec: FamilySpec, options: MetricsOptions): FamilySpec {
  if (spec.set === 'umbel') return spec;
  const isAnonymous = spec.type === 'histogram' && !options.histogramWorkerLabel;
  const labels = isAnonymous ? spec.labels.filter((label) => label !== 'worker' && label !== 'hostname') : spec.labels;
  const name = spec.set === 'exporter' ? spec.name.replace(/^celery_/, options.prefix) : spec.name;
  return { ...spec, name, labels };
}

function bucketsOf(spec: FamilySpec, options: MetricsOptions): readonly number[] {
  const byName: Partial<Record<string, readonly number[]>> = {
    flower_task_runtime_seconds: options.runtimeBuckets,
    celery_task_runtime: options.exporterRuntimeBuckets ?? options.runtimeBuckets,
    celery_task_queue_wait_time: options.queueWaitBuckets,
    umbel_history_write_seconds: WRITE_BUCKETS,
    umbel_history_batch_events: BATCH_BUCKETS,
  };
  return byName[spec.name] ?? [];
}
