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
] as const;

/** An event type as the families know it. */
export interface EventType {
  /** Value of the `type` label. */
  readonly label: string;
  /** Small and dense: series by type are kept in arrays. */
  readonly index: number;
}

/**
 * Event types as label values: Celery's own, and so many custom ones; what comes after them is `other`. An event's type
 * is looked up once, since a text fresh from the decoder must be hashed for each look into a map.
 */
export class EventTypes {
  readonly #limit: number;
  readonly #byText = new Map<string, EventType>();
  readonly #other: EventType;

  constructor(maxCustom: number) {
    for (const [index, label] of KNOWN.entries()) this.#byText.set(label, { label, index });
    this.#other = { label: 'other', index: KNOWN.length };
    this.#limit = KNOWN.length + maxCustom;
  }

  of(type: string): EventType {
    return this.#byText.get(type) ?? this.#custom(type);
  }

  #custom(type: string): EventType {
    if (this.#byText.size >= this.#limit || type.length > TYPE_LIMIT) return this.#other;
    const added = { label: type, index: this.#byText.size + 1 };
    this.#byText.set(type, added);
    return added;
  }
}

const TYPE_LIMIT = 200;

/** Where Celery's own task types stand. */
export const SENT = 0;
export const RECEIVED = 1;
export const STARTED = 2;
export const SUCCEEDED = 3;
export const FAILED = 4;
export const REJECTED = 5;
export const REVOKED = 6;
export const RETRIED = 7;
