/** How much faster than in life the stack's test runs. */
export const FACTOR = 120;

/** In seconds of the test. */
export const LIMITS = {
  success_objective: 0.97,
  running_seconds: 8,
  queue_wait_seconds: 1,
  prefetch_wait_seconds: 0.2,
  slow_minimum_seconds: 0.2,
  lost_seconds: 5,
  oldest_message_seconds: 5,
  drain_seconds: 15,
  heartbeat_seconds: 5,
  reply_seconds: 6,
  event_lag_seconds: 10,
  history_lag_seconds: 5,
  probe_seconds: 4,
};
/** A small machine at ease is above these: the alert is seen to fire and, with the true limit, to stop. */
export const LOWERED = {
  worker_rss_bytes: 1e6,
  worker_load: 0.0001,
  worker_cpu: 0.00001,
  agent_rss_bytes: 1e6,
  agent_cpu: 0.0001,
  history_bytes: 1e6,
  scrape_seconds: 0.00001,
  series: 10,
};
/** What somebody expects, as limits.yml shows it. */
export const EXPECTED = [
  { record: 'umbel:expect:workers', expr: 'vector(20)' },
  { record: 'umbel:expect:task_period_seconds', expr: 'vector(1)', labels: { name: 'shop.nightly' } },
  { record: 'umbel:expect:task_period_seconds', expr: 'vector(3600)', labels: { name: 'shop.add' } },
];
/** What Prometheus knew yesterday and last week, in the test's time. */
export function past(instances: readonly string[]): string {
  const now = Date.now() / 1000;
  const lines: string[] = ['# TYPE umbel_build_info gauge'];
  const add = (series: string, value: number, from: number, to: number): void => {
    for (let at = now + from; at < now + to; at += 2) lines.push(`${series} ${value} ${at.toFixed(3)}`);
  };
  for (const instance of instances)
    add(`umbel_build_info{cluster="main",job="celery",instance="${instance}",version="0"}`, 1, -730, -300);
  const labels = '{cluster="main",job="celery"';
  lines.push('# TYPE celery:tasks_received:increase10m gauge');
  add(`celery:tasks_received:increase10m${labels}}`, 5, -740, -300);
  lines.push('# TYPE celery:task_runtime:p95_15m gauge');
  add(`celery:task_runtime:p95_15m${labels},name="shop.sleep"}`, 0.01, -1200, -300);
  return `${lines.join('\n')}\n# EOF\n`;
}
