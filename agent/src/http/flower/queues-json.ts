import type { ControlService, QueueDepth } from '../../core/control/service.ts';
import { intText, stringText, valueText } from './python-json.ts';
import { objectText } from './answer.ts';

/**
 * `GET /api/queues/length`: the queues that inspected workers consume, and where none was inspected all known ones
 * (flower/views/__init__.py `get_active_queue_names`), by name. On RabbitMQ the management API's own objects.
 */
export async function queueLengthsText(control: ControlService): Promise<string> {
  const consumed = new Set(
    [...control.inspector.known().values()].flatMap(({ active_queues: queues = [] }) =>
      queues.flatMap(({ name }) => (typeof name === 'string' ? name : [])),
    ),
  );
  const queues = await control.queues();
  const shown = queues.filter(({ name }) => consumed.size === 0 || consumed.has(name));
  const sorted = [...shown].sort((a, b) => (a.name < b.name ? -1 : 1));
  return `{"active_queues": [${sorted.map(queueText).join(', ')}]}`;
}

/** A queue that does not exist is empty to Redis. */
function queueText({ name, messages = 0, management }: QueueDepth): string {
  if (management !== undefined) return valueText(management);
  return objectText([
    ['name', stringText(name)],
    ['messages', intText(messages)],
  ]);
}
