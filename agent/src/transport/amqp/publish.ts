import type { ConfirmChannel, Message, Options } from 'amqplib';
import { BrokerUnavailable } from '../../core/control/command.ts';
import type { Clock } from '../../lib/clock.ts';
import { textOf } from './problems.ts';

/** Longest wait for the broker's word; a broker in need (memory, disk) gives none. */
const CONFIRM_PATIENCE_MS = 10_000;

/**
 * Publishes and waits until the broker has the message. False: it went to no queue, and is gone. Messages under way on
 * one channel at the same time are told apart by their correlation id.
 * @throws BrokerUnavailable where the broker refuses, does not answer, or the connection ends
 */
export async function publishConfirmed(
  channel: ConfirmChannel,
  clock: Clock,
  message: { readonly exchange: string; readonly routingKey: string; readonly body: Buffer },
  options: Options.Publish,
): Promise<boolean> {
  let isReturned = false;
  const onReturn = ({ properties }: Message): void => {
    isReturned ||= properties.correlationId === options.correlationId;
  };
  let onClose = (): void => undefined;
  channel.on('return', onReturn);
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new BrokerUnavailable(`RabbitMQ did not take the message: ${why}`));
      onClose = () => fail('the connection was lost');
      channel.on('close', onClose);
      const cancel = clock.after(CONFIRM_PATIENCE_MS, () =>
        fail('no confirmation in time; has it run low on memory or disk space (rabbitmq-diagnostics alarms)?'),
      );
      const settled = (error: unknown): void => {
        cancel();
        if (error === null || error === undefined) resolve();
        else fail(textOf(error));
      };
      channel.publish(message.exchange, message.routingKey, message.body, { ...options, mandatory: true }, settled);
    });
  } finally {
    channel.off('return', onReturn);
    channel.off('close', onClose);
  }
  return !isReturned;
}
