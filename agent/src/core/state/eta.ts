/** Epoch seconds of an ISO 8601 eta; without an offset it is UTC, as Celery means it. 0 when it is no time. */
export function etaSeconds(eta: unknown): number {
  if (typeof eta !== 'string') return 0;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(eta) ? eta : `${eta}Z`);
  return Number.isNaN(ms) ? 0 : ms / 1000;
}
