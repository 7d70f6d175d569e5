/** How the HTTP server behaves; every member has a default. */
export interface HttpOptions {
  /** Path under which everything lives, slashes at its ends ignored; default none. Flower's `--url_prefix`. */
  readonly urlPrefix?: string;
  /**
   * Answers `/api/*` of Flower with CORS headers for every origin and takes WebSockets from every origin, as Flower
   * does with FLOWER_UNAUTHENTICATED_API; default false. (Flower refuses `/api/*` without it; reads are open here,
   * because the server listens on loopback unless told otherwise.)
   */
  readonly unauthenticatedApi?: boolean;
  /** SSE and WebSocket subscribers at once; default 100. One more gets 503. */
  readonly maxSubscribers?: number;
  /** Live messages waiting for one subscriber; default 1000. Older ones are dropped and the drop is told. */
  readonly subscriberQueue?: number;
  /** Between signs of life on a live stream; default 15,000 ms. */
  readonly heartbeatMs?: number;
}

/** The options with every default filled in. */
export interface HttpSettings {
  /** `''` or `/path`. */
  readonly prefix: string;
  readonly unauthenticatedApi: boolean;
  readonly maxSubscribers: number;
  readonly subscriberQueue: number;
  readonly heartbeatMs: number;
}

export function toSettings(options: HttpOptions): HttpSettings {
  const path = (options.urlPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return {
    prefix: path === '' ? '' : `/${path}`,
    unauthenticatedApi: options.unauthenticatedApi ?? false,
    maxSubscribers: options.maxSubscribers ?? 100,
    subscriberQueue: options.subscriberQueue ?? 1000,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  };
}
