import type { FastifyRequest } from 'fastify';

/**
 * Why a browser's request from elsewhere must not act; undefined when it may (flower/views/__init__.py
 * `check_xsrf_cookie`, text and order of the checks).
 *
 * @param origins pages of other origins that may, e.g. `https://grafana.example`
 */
export function crossSiteFault(request: FastifyRequest, origins: readonly string[]): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin !== undefined && origins.includes(origin)) return undefined;
  if (site !== undefined && site !== '') return site === 'same-origin' ? undefined : 'Cross-site request forbidden';
  return isSameOrigin(request) ? undefined : 'Cross-origin request forbidden';
}

/** Whether the page that asks is of this host; no `Origin` means no browser. */
export function isSameOrigin({ headers, host }: FastifyRequest): boolean {
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === host;
}
