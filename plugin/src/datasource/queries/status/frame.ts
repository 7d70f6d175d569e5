import { type DataFrame, MappingType, type ValueMapping } from '@grafana/data';
import type { Status } from '../../../shared/api';
import { column, tableFrame, warning } from '../../../shared/frames/table';

const CONNECTED: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      true: { color: 'green', text: 'connected', index: 0 },
      false: { color: 'red', text: 'not connected', index: 1 },
    },
  },
];

/** How the agent stands, in one row: nested members are named `brokerConnected`, `historyLagMs`, … */
export function statusFrame(refId: string, status: Status): DataFrame {
  const { broker, history, live, counts, warnings } = status;
  return tableFrame<Status>(
    { refId, kind: 'status', notices: warnings.map((text) => warning(text)) },
    [
      column.text('version', 'Version'),
      column.time('startedMs', 'Started'),
      column.span('uptimeMs', 'Uptime'),
      column.flag('demo', 'Demo'),
      column.text('brokerUrl', 'Broker', { value: () => broker.displayUrl }),
      column.flag('brokerConnected', 'Broker status', { value: () => broker.connected, mappings: CONNECTED }),
      column.time('brokerSinceMs', 'Broker since', { value: () => broker.sinceMs }),
      column.number('brokerReconnects', 'Reconnects', { value: () => broker.reconnects, decimals: 0 }),
      column.text('brokerProblem', 'Broker problem', { value: () => broker.problem ?? null }),
      column.flag('historyEnabled', 'History kept', { value: () => history.enabled }),
      column.flag('historyConnected', 'History status', { value: () => history.connected, mappings: CONNECTED }),
      column.span('historyLagMs', 'History lag', { value: () => history.lagMs }),
      column.number('historyQueuedBatches', 'Batches waiting', { value: () => history.queuedBatches, decimals: 0 }),
      column.number('historySpilledBytes', 'On disk', { value: () => history.spilledBytes, unit: 'bytes' }),
      column.text('historyProblem', 'History problem', { value: () => history.problem ?? null }),
      column.number('liveSubscribers', 'Live streams', { value: () => live.subscribers, decimals: 0 }),
      column.number('liveMaxSubscribers', 'Live streams at most', { value: () => live.maxSubscribers, decimals: 0 }),
      ...Object.entries(counts).map(([name, count]) =>
        column.number<Status>(name, titleOf(name), { value: () => count, decimals: 0 }),
      ),
      column.other('shedding', 'Left out'),
      column.other('warnings', 'Warnings'),
    ],
    [status],
  );
}

/** `eventsRejected` as `Events rejected`. */
function titleOf(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
