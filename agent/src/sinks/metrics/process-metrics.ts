import { collectDefaultMetrics, Registry } from 'prom-client';

/** Gauges whose names end in `_total`, which both text formats keep for counters; they only count handles of Node's. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

/** prom-client's view of the own process: `process_*` as Flower's client has them, and `nodejs_*`. Reads /proc only. */
export function processRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return registry;
}
