import { connect } from 'amqplib';
import type { ChannelModel } from 'amqplib';
import type { Clock } from '../../lib/clock.ts';
import { tlsOptions } from '../tls-options.ts';
import type { AmqpUrl } from '../url.ts';

/** A broken connection is noticed after two of these, seconds. */
const HEARTBEAT_SECONDS = 10;
const CLOSE_PATIENCE_MS = 2000;

export interface AmqpConnectDeps {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string;
}

/** An open connection that remembers its end. */
export interface AmqpConnection {
  readonly model: ChannelModel;
  /** Resolves once it is closed, with the error where there is one. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  isEnded(): boolean;
  /** Ends it, in good order where the broker answers in time. Never rejects. */
  close(): Promise<void>;
}

/**
 * Connects and logs in (kombu/transport/pyamqp.py).
 * @throws TlsFileError, or amqplib's or Node's error
 */
export async function openConnection(url: AmqpUrl, deps: AmqpConnectDeps): Promise<AmqpConnection> {
  const tls = url.tls === undefined ? undefined : await tlsOptions(url.tls, url.host);
  const address = {
    protocol: url.tls === undefined ? 'amqp' : 'amqps',
    hostname: url.host,
    port: url.port,
    username: url.username,
    password: url.password,
    // amqplib unescapes what it is given
    vhost: encodeURIComponent(url.virtualHost),
    heartbeat: HEARTBEAT_SECONDS,
  };
  const model = await connect(address, {
    ...tls,
    noDelay: true,
    timeout: deps.connectTimeoutMs,
    clientProperties: { connection_name: deps.name, product: 'umbel' },
  });
  return new OpenConnection(model, deps.clock);
}

class OpenConnection implements AmqpConnection {
  readonly model: ChannelModel;
  readonly ended: Promise<Error | undefined>;
  readonly #clock: Clock;
  #isEnded = false;
  #error: Error | undefined;

  constructor(model: ChannelModel, clock: Clock) {
    this.model = model;
    this.#clock = clock;
    model.on('error', (error) => {
      this.#error ??= error;
    });
    this.ended = new Promise((resolve) => {
      model.on('close', (error?: Error) => {
        this.#isEnded = true;
        resolve(this.#error ?? error);
      });
    });
  }

  isEnded(): boolean {
    return this.#isEnded;
  }

  async close(): Promise<void> {
    if (this.#isEnded) return;
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(CLOSE_PATIENCE_MS, resolve);
    });
    await Promise.race([this.model.close().catch(() => undefined), late]);
    cancel();
    if (this.isEnded()) return;
    const { stream } = this.model.connection as unknown as { readonly stream?: { destroy(error: Error): void } };
    // With an error, for amqplib takes no other end of its socket as an end.
    stream?.destroy(new Error('given up: the broker did not answer in time'));
  }
}
