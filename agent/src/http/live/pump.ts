import type { LiveSubscription } from '../ports.ts';

/** The client's end of a live stream. */
export interface LiveSink {
  /** Resolves when the client can take the next one; at once when it has gone. */
  send(event: string, data: unknown): Promise<void>;
}

/** Hands every message to the client, at its pace; tells it how many it missed before the ones that follow. */
export async function pump(subscription: LiveSubscription, sink: LiveSink): Promise<void> {
  for await (const message of subscription) {
    const dropped = subscription.takeDropped();
    if (dropped > 0) await sink.send('dropped', { count: dropped });
    await sink.send(message.kind, message);
  }
}
