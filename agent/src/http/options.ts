import { Connections } from './connections.ts';

/** How the HTTP server behaves; every member has a default. */
export interface HttpOptions {
  /** Path under which everything lives, slashes at its ends ignored; default none. Flower's `--url_prefix`. */
  readonly urlPrefix?: string;
  /**
   * Flower's FLOWER_UNAUTHENTICATED_API: where no sign-in is set up, everybody may do everything, `/api/*` of Flower
   * has CORS headers for every origin, and WebSockets are taken from every origin; default false.
   */
  readonly unauthenticatedApi?: boolean;
  /** Whatever needs an editor or an admin and is no read answers 403; default false. Flower's `--read_only`. */
  readonly readOnly?: boolean;
  /** `/metrics` needs a viewer; default false, as in Flower. */
  readonly protectMetrics?: boolean;
  /** Origins whose pages may use the API, e.g. `https://grafana.example`; default none. */
  readonly corsOrigins?: readonly string[];
  /**
   * Names that requests without credentials may have as `Host`, in lower case, besides localhost and IP addresses;
   * default: any, or none where the server listens on loopback (DNS rebinding, access/host.ts).
   */
  readonly allowedHosts?: readonly string[];
  /** One proxy stands in front: its `X-Forwarded-For`, `-Host` and `-Proto` count; default false. Flower's `--xheaders`. */
  readonly trustProxy?: boolean;
  /** Speaks HTTPS; default HTTP. */
  readonly tls?: TlsOptions;
  /** Bounds the connections, and counts whom it let go of; default: no bound but the system's. */
  readonly connections?: Connections;
  /** SSE and WebSocket subscribers at once; default 100. One more gets 503. */
  readonly maxSubscribers?: number;
  /** Live messages waiting for one subscriber; default 1000. Older ones are dropped and the drop is told. */
  readonly subscriberQueue?: number;
  /** Between signs of life on a live stream; default 15,000 ms. */
  readonly heartbeatMs?: number;
}

/** Contents of PEM files. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate of one of these authorities; default: none is asked for. */
  readonly clientCa?: string;
}

/** The options with every default filled in. */
export interface HttpSettings {
  /** `''` or `/path`. */
  readonly prefix: string;
  readonly unauthenticatedApi: boolean;
  readonly readOnly: boolean;
  readonly protectMetrics: boolean;
  readonly corsOrigins: readonly string[];
  readonly allowedHosts: readonly string[] | undefined;
  readonly connections: Connections;
  readonly maxSubscribers: number;
  readonly subscriberQueue: number;
  readonly heartbeatMs: number;
}

export function toSettings(options: HttpOptions): HttpSettings {
  const path = (options.urlPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return {
    prefix: path === '' ? '' : `/${path}`,
    unauthenticatedApi: options.unauthenticatedApi ?? false,
    readOnly: options.readOnly ?? false,
    protectMetrics: options.protectMetrics ?? false,
    corsOrigins: options.corsOrigins ?? [],
    allowedHosts: options.allowedHosts,
    connections: options.connections ?? new Connections(Infinity),
    maxSubscribers: options.maxSubscribers ?? 100,
    subscriberQueue: options.subscriberQueue ?? 1000,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  };
}
