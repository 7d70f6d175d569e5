import { MappingType, type ValueMapping } from '@grafana/data';

/** Celery's states in the order of a task's life, with the names of Grafana's palette that stand for them. */
export const STATE_COLORS = {
  PENDING: 'gray',
  RECEIVED: 'purple',
  STARTED: 'blue',
  RETRY: 'orange',
  REJECTED: 'dark-orange',
  REVOKED: 'yellow',
  SUCCESS: 'green',
  FAILURE: 'red',
} as const;

export const STATES = Object.keys(STATE_COLORS) as ReadonlyArray<keyof typeof STATE_COLORS>;

/** Of a custom state, e.g. `PROGRESS` from a `task-progress` event */
const CUSTOM_COLOR = 'semi-dark-blue';

/** Name of a colour in Grafana's palette. */
export function stateColor(state: string): string {
  return (STATE_COLORS as Readonly<Record<string, string>>)[state] ?? CUSTOM_COLOR;
}

export const STATE_MAPPINGS: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      STATES.map((state, index) => [state, { color: STATE_COLORS[state], text: state, index }]),
    ),
  },
  // The others keep their text.
  {
    type: MappingType.RegexToText,
    options: { pattern: '/.+/', result: { color: CUSTOM_COLOR, index: STATES.length } },
  },
];

export const ONLINE_MAPPINGS: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      true: { color: 'green', text: 'online', index: 0 },
      false: { color: 'red', text: 'offline', index: 1 },
    },
  },
];
