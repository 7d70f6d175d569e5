import type { FamilySet } from './families.ts';
import { FAMILIES } from './families.ts';

const SECTIONS: Readonly<Record<FamilySet, readonly [title: string, text: string]>> = {
  flower: [
    "Flower's families",
    `Names, labels and values are those of Flower 2.2, so its dashboard and alerts work unchanged. What differs: a runtime of
exactly 0 is observed; the prefetched gauge never falls below 0 and starts again when the worker does; a worker without
heartbeat becomes 0 after the worker timeout. Flower's dashboard has no job filter: scrape Flower or the agent, not both,
or drop one of them by relabeling.`,
  ],
  exporter: [
    "celery-exporter's families",
    `Names, labels and values are those of celery-exporter; the prefix \`celery_\` can be replaced. What differs: of two workers
on one host \`celery_worker_up\` is 1 if any is up and \`celery_worker_tasks_active\` is their sum; the queue of a task without
task-sent event is the last one seen for its name; exception classes are also found in dotted and \`<…>\` reprs and in
tracebacks; \`celery_queue_length\` is the sum of all priorities; pools of threads count as processes; a queue without workers
is shown while it holds messages or is configured (\`--queues\`), and for the purge time after that. The mixin's alerts
select \`job=~".*celery.*"\`: name the scrape job accordingly.`,
  ],
  umbel: [
    "The agent's own families",
    `They tell how complete and how fresh the other numbers are. Families of a part that is switched off have no samples. What
the broker and the workers must be asked for is asked every \`--probe-interval\`, never during a scrape, and not shown any
more once it is three intervals old; \`umbel_probe_age_seconds\` tells how old it is.`,
  ],
  process: [
    'The process',
    'Under the names of the Prometheus client libraries, as Flower serves them; `nodejs_*` besides.',
  ],
};

/** The page on all metric families, from `FAMILIES`. */
export function metricsMarkdown(): string {
  const sections = Object.entries(SECTIONS).map(([set, [title, text]]) => {
    const rows = FAMILIES.filter((spec) => spec.set === set).map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help.replaceAll('|', '\\|')} |`,
    );
    return [
      `## ${title}`,
      '',
      text,
      '',
      '| family | type | labels | meaning |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return `${['# Metrics', INTRODUCTION, ...sections].join('\n\n')}\n`;
}

const INTRODUCTION = `\`/metrics\` answers from memory in the text format 0.0.4, or in OpenMetrics 1.0 with exemplars (\`trace_id\` on the runtime
histograms) when the scraper asks for it. Both sets below count the same events and can be switched off one by one.`;
