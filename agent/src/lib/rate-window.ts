interface Window {
  count: number;
  readonly endsMs: number;
}

export interface RateLimits {
  /** Takes of one key within a window at most. */
  readonly perKey: number;
  /** Takes of all keys within a window at most. */
  readonly overall: number;
  readonly windowMs: number;
  /** Keys remembered at most; the oldest are forgotten first, which `overall` makes harmless. */
  readonly maxKeys: number;
}

/** Counts what each key takes within a span of time. Its memory is bounded. */
export class RateWindow {
  readonly #limits: RateLimits;
  readonly #windows = new Map<string, Window>();
  #all: Window = { count: 0, endsMs: 0 };

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Takes one. 0 when there was one left, else the ms until there is: then nothing was taken. */
  take(key: string, nowMs: number): number {
    const { perKey, overall, windowMs } = this.#limits;
    if (this.#all.endsMs <= nowMs) this.#all = { count: 0, endsMs: nowMs + windowMs };
    const window = this.#windowOf(key, nowMs);
    if (window.count >= perKey) return window.endsMs - nowMs;
    if (this.#all.count >= overall) return this.#all.endsMs - nowMs;
    window.count += 1;
    this.#all.count += 1;
    return 0;
  }

  /** What was taken turned out not to count. */
  giveBack(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.count > 0) window.count -= 1;
    if (this.#all.count > 0) this.#all.count -= 1;
  }

  get keys(): number {
    return this.#windows.size;
  }

  #windowOf(key: string, nowMs: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsMs > nowMs) return known;
    this.#windows.delete(key);
    for (const [oldest, { endsMs }] of this.#windows) {
      if (endsMs > nowMs && this.#windows.size < this.#limits.maxKeys) break;
      this.#windows.delete(oldest);
    }
    const window: Window = { count: 0, endsMs: nowMs + this.#limits.windowMs };
    this.#windows.set(key, window);
    return window;
  }
}

/** What one client can change cheaply must not make it another: of an IPv6 address only the first half counts. */
export function clientKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return `${[...groups, ...zeros, ...rest].slice(0, 4).join(':')}::/64`;
}
