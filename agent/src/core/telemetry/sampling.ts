const WORDS = 2 ** 32;

/**
 * Whether a share of `ratio` of all traces, 0 to 1, holds this one: the same answer for every task of a workflow and in
 * every replica. As OpenTelemetry's TraceIdRatioBased sampler for JavaScript: the four words of the id, by exclusive or.
 */
export function isSampled(traceId: string, ratio: number): boolean {
  let mixed = 0;
  for (let at = 0; at < traceId.length; at += 8) mixed ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return mixed >>> 0 < Math.floor(ratio * WORDS);
}
