import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './lib/build';
import { stat, table, timeseries, type TimeSeries } from './lib/panels';
import { celery, prometheus } from './lib/sources';
import { datasource, metricFilters, prometheus as prometheusVariable } from './lib/variables';

const NO_METRICS = 'Prometheus has no metrics of the agent in this time range';

const metric = (
  options: Omit<TimeSeries, 'targets' | 'empty' | 'from' | 'width' | 'height'>,
  ...queries: ReadonlyArray<readonly [expr: string, legend: string]>
) =>
  timeseries({
    ...options,
    empty: NO_METRICS,
    from: 'prometheus',
    width: 8,
    height: 7,
    targets: queries.map(([expr, legend], index) => prometheus(expr, { legend, refId: 'ABCDEF'[index] ?? 'A' })),
  });

export const agent = dashboard({
  key: 'agent',
  title: 'Celery / Agent',
  description: 'How complete and how fresh the numbers are: broker, history, events, memory, and who did what.',
  variables: [datasource, prometheusVariable, metricFilters],
  sections: [
    {
      panels: [
        table({
          title: 'Status',
          description: 'What the agent says of itself, in whole sentences where something is wrong.',
          empty: 'The agent does not answer',
          width: 24,
          height: 5,
          targets: [celery({ kind: 'status' })],
        }),
        table({
          title: 'Gaps',
          description: 'Times in which events could not be heard, and why.',
          empty: 'None in this time range: every event was heard',
          width: 12,
          height: 8,
          targets: [celery({ kind: 'gaps' })],
        }),
        table({
          title: 'Audit',
          description: 'Who acted on tasks and workers, and who was refused. For admins of the organisation.',
          empty: 'Nobody acted in this time range',
          width: 12,
          height: 8,
          targets: [celery({ kind: 'audit' })],
        }),
      ],
    },
    {
      row: 'From Prometheus',
      panels: [
        stat({
          title: 'Agents up',
          description: 'Agents that Prometheus reaches (umbel_build_info).',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 'none',
          from: 'prometheus',
          thresholds: [
            [0, 'red'],
            [1, 'green'],
          ],
          targets: [prometheus('count(umbel_build_info)', { instant: true })],
        }),
        stat({
          title: 'Broker',
          description: 'Whether every agent is connected to its broker.',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 'none',
          from: 'prometheus',
          thresholds: [
            [0, 'red'],
            [1, 'green'],
          ],
          mappings: [
            {
              type: MappingType.ValueToText,
              options: { '0': { text: 'away', color: 'red' }, '1': { text: 'connected', color: 'green' } },
            },
          ],
          targets: [prometheus('min(umbel_broker_connected)', { instant: true })],
        }),
        stat({
          title: 'Behind by',
          description: 'Age of the last event when it was processed.',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 's',
          decimals: 2,
          from: 'prometheus',
          thresholds: [
            [0, 'green'],
            [5, 'orange'],
            [60, 'red'],
          ],
          targets: [prometheus('max(umbel_event_lag_seconds)', { instant: true })],
        }),
        stat({
          title: 'Not yet stored',
          description: 'Age of the oldest event that is not in the history.',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 's',
          decimals: 2,
          from: 'prometheus',
          thresholds: [
            [0, 'green'],
            [10, 'orange'],
            [300, 'red'],
          ],
          targets: [prometheus('max(umbel_history_lag_seconds)', { instant: true })],
        }),
        stat({
          title: 'Refused and dropped',
          description: 'Messages of the last hour that could not be read, or found no room.',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 'short',
          decimals: 0,
          from: 'prometheus',
          thresholds: [
            [0, 'green'],
            [1, 'orange'],
          ],
          targets: [
            prometheus(
              '(sum(increase(umbel_events_rejected_total[1h])) or vector(0)) + (sum(increase(umbel_messages_dropped_total[1h])) or vector(0))',
              { instant: true },
            ),
          ],
        }),
        stat({
          title: 'Tasks in memory',
          description: 'Tasks the model holds (umbel_tasks_held).',
          empty: NO_METRICS,
          width: 8,
          height: 3,
          unit: 'short',
          from: 'prometheus',
          targets: [prometheus('sum(umbel_tasks_held)', { instant: true })],
        }),
        metric(
          {
            title: 'Events',
            description: 'Events that reached the model, a second, by type.',
            unit: 'suffix:/s',
            stacked: true,
          },
          ['sum by (type) (rate(umbel_events_received_total[$__rate_interval]))', '{{type}}'],
        ),
        metric(
          { title: 'Lag', description: 'Age of events when processed, and of what is not stored.', unit: 's' },
          ['max(umbel_event_lag_seconds)', 'events'],
          ['max(umbel_history_lag_seconds)', 'history'],
        ),
        metric(
          {
            title: 'Writes to the history',
            description: 'Duration of a write, 95th percentile, and errors a second.',
            unit: 's',
          },
          ['histogram_quantile(0.95, sum by (le) (rate(umbel_history_write_seconds_bucket[$__rate_interval])))', 'p95'],
        ),
        metric({ title: 'Memory', description: 'Resident memory of the agent.', unit: 'bytes' }, [
          'process_resident_memory_bytes * on (instance, job) group_left umbel_build_info',
          '{{instance}}',
        ]),
        metric({ title: 'CPU', description: 'Processor time the agent takes; 1 is one core.', unit: 'none' }, [
          'rate(process_cpu_seconds_total[$__rate_interval]) * on (instance, job) group_left umbel_build_info',
          '{{instance}}',
        ]),
        metric(
          {
            title: 'Waiting inside the agent',
            description: 'Bytes read and not decoded, and events not yet written.',
            unit: 'short',
          },
          ['sum(umbel_intake_queue_bytes)', 'intake, bytes'],
          ['sum(umbel_history_queue_events)', 'history, events'],
          ['sum(umbel_history_spilled_bytes)', 'on disk, bytes'],
        ),
        metric(
          {
            title: 'Probes',
            description: 'How long ago the broker and the workers were asked with success.',
            unit: 's',
          },
          ['max by (probe) (umbel_probe_age_seconds)', '{{probe}}'],
        ),
        metric(
          { title: 'Clock of the workers', description: 'Arrival of heartbeats minus their timestamp.', unit: 's' },
          ['max by (worker) (umbel_worker_clock_skew_seconds)', '{{worker}}'],
        ),
        metric(
          { title: 'Live streams', description: 'Browsers and scripts that follow the live stream.', unit: 'none' },
          ['sum(umbel_live_subscribers)', 'subscribers'],
          ['sum(rate(umbel_live_dropped_total[$__rate_interval]))', 'missed messages a second'],
        ),
        metric(
          {
            title: 'Gaps',
            description: 'Seconds in which events could not be heard, told when each gap has ended.',
            unit: 's',
          },
          ['sum by (instance) (increase(umbel_gap_seconds_total[$__rate_interval]))', '{{instance}}'],
        ),
        metric(
          {
            title: 'Healed and orphaned',
            description:
              'Tasks whose state was read elsewhere because no event told it, by source, and tasks that were lost with their worker, by reason; in each interval.',
            unit: 'none',
          },
          ['sum by (source) (increase(umbel_tasks_healed_total[$__rate_interval]))', 'healed by {{source}}'],
          ['sum by (reason) (increase(umbel_tasks_orphaned_total[$__rate_interval]))', 'orphaned: {{reason}}'],
        ),
        metric(
          {
            title: 'To look after',
            description:
              'Orphaned tasks that nobody has sent again, agents that do not listen now, slices without an agent or of another number than the leader’s, and looks at open tasks that failed.',
            unit: 'none',
          },
          ['max(umbel_orphaned_tasks)', 'orphaned tasks'],
          ['count(umbel_broker_connected == 0) or vector(0)', 'agents that do not listen'],
          ['max(umbel_slices_missing)', 'slices without an agent'],
          ['max(umbel_slices_misfit)', 'slices that do not fit'],
          ['sum(increase(umbel_heal_runs_total{outcome="failed"}[$__rate_interval]))', 'failed looks'],
        ),
        metric(
          {
            title: 'Bounds in use',
            description:
              'How full each is of what fills up with the load; the status of the agent says what happens at 100 %. Without the finished tasks in memory, which are always as many as may be.',
            unit: 'percentunit',
          },
          ['max by (bound) (umbel_bound_used{bound!="finished_tasks"} / umbel_bound_limit)', '{{bound}}'],
        ),
        metric(
          {
            title: 'Over a bound',
            description:
              'Over a bound, a second: lost, dropped, evicted, cut, refused or disconnected, by bound. Without the finished tasks in memory, and without connections that were closed because nothing more was asked.',
            unit: 'suffix:/s',
          },
          [
            'sum by (bound) (rate(umbel_bound_exceeded_total{bound!~"finished_tasks|idle_connections"}[$__rate_interval]))',
            '{{bound}}',
          ],
        ),
        metric(
          {
            title: 'Left out under load',
            description:
              'What the agent leaves out to keep up with the events: traces and logs first, then live streams, then searches.',
            unit: 'none',
          },
          ['max by (work) (umbel_shedding)', '{{work}} left out'],
          ['sum by (work) (rate(umbel_shed_total[$__rate_interval]))', '{{work}} refused a second'],
        ),
      ],
    },
  ],
});
