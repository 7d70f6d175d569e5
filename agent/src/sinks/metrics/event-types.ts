const KNOWN = [
  'task-sent',
  'task-received',
  'task-started',
  'task-succeeded',
  'task-failed',
  'task-rejected',
  'task-revoked',
  'task-retried',
  'task-cancelled',
  'worker-online',
  'worker-heartbeat',
  'worker-offline',
];

/** Event types as label values: Celery's own, and so many custom ones; what comes after them is `other`. */
export class EventTypes {
  readonly #limit: number;
  readonly #labels = new Set(KNOWN);

  constructor(maxCustom: number) {
    this.#limit = KNOWN.length + maxCustom;
  }

  label(type: string): string {
    if (this.#labels.has(type)) return type;
    if (this.#labels.size >= this.#limit || type.length > TYPE_LIMIT) return 'other';
    this.#labels.add(type);
    return type;
  }
}

const TYPE_LIMIT = 200;
