import { ControlRefused } from './command.ts';
import { lengthOf } from './parameter.ts';

/** Longest texts of a new task, in characters. */
export const TASK_TEXT_LENGTHS = { name: 1024, taskId: 255, queue: 255 } as const;
/** Regular expression of a text that is not empty and holds no control character: brokers and logs stumble over those. */
export const TASK_TEXT_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$';

const TASK_TEXT = new RegExp(TASK_TEXT_PATTERN);

/** @throws ControlRefused `bad-argument` that names the field */
export function checkTaskText(field: keyof typeof TASK_TEXT_LENGTHS, value: string): void {
  const most = TASK_TEXT_LENGTHS[field];
  if (lengthOf(value) <= most && TASK_TEXT.test(value)) return;
  const rule = `must have 1 to ${most} characters, and no control characters`;
  throw new ControlRefused('bad-argument', `${field}: ${rule}.`, field);
}
