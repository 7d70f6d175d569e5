import { type Check, failed, type Finding, ok, skipped } from './check.ts';

/** A receiver of traces or logs, as far as the doctor asks it. */
export interface OtlpReceiver {
  readonly signal: 'traces' | 'logs';
  /** Without secrets. */
  readonly displayUrl: string;
  /** Sends an empty batch; undefined when it was taken, else why not. */
  readonly probe: () => Promise<string | undefined>;
}

/** `open`: none where nothing is sent by OTLP. */
export function otlpCheck(open: () => Promise<readonly OtlpReceiver[]>): Check {
  return {
    name: 'otlp',
    run: async () => {
      const receivers = await open();
      if (receivers.length === 0) {
        return [skipped('No traces and logs are sent.', 'Give --otlp-endpoint to send them to Tempo and Loki.')];
      }
      return Promise.all(receivers.map(ask));
    },
  };
}

async function ask({ signal, displayUrl, probe }: OtlpReceiver): Promise<Finding> {
  const reason = await probe();
  if (reason === undefined) return ok(`${displayUrl} takes ${signal}.`);
  const option = `--otlp-${signal}-endpoint`;
  const advice = /^HTTP 40[13]/.test(reason)
    ? 'Give what it wants to see by --otlp-headers.'
    : `Check --otlp-endpoint, or ${option} where ${signal} go elsewhere: OTLP over HTTP, most often port 4318.`;
  return failed(`${displayUrl} does not take ${signal}: ${reason}.`, advice);
}
