import { TlsFileError } from '../tls-options.ts';
import { PlainProblem } from '../plain-problem.ts';
import { describeTls } from '../tls-problems.ts';
import type { AmqpUrl } from '../url.ts';

/** `host:port` of a broker. */
export function whereOf({ host, port }: AmqpUrl): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Says in one sentence what keeps the agent from RabbitMQ and what to do about it. Never holds a password. */
export function describeProblem(error: unknown, url: AmqpUrl): string {
  if (error instanceof PlainProblem) return error.message;
  if (error instanceof TlsFileError) {
    return `The file ${error.path} (${error.setting}) cannot be read: check its path and rights.`;
  }
  const text = textOf(error);
  const code = errorCode(error);
  return (
    describeRefusal(text, url) ??
    describeNetwork(code, text, url) ??
    describeTlsOf(code, url) ??
    describeRest(text, url)
  );
}

/** Node's error code, e.g. `ECONNREFUSED`; empty where there is none. Of several tried addresses, the first's. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** AMQP's reply code of a closed channel or connection, e.g. 404; undefined where it is another error. */
export function replyCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a connection ended, for a gap or a log line. */
export function describeLoss(error: Error | undefined): string {
  if (error === undefined) return 'rabbitmq closed the connection';
  if (error instanceof PlainProblem) return error.message;
  const text = textOf(error);
  if (/CONNECTION_FORCED/.test(text)) return 'rabbitmq closed the connection: it is shutting down, or was told to';
  return `connection lost: ${errorCode(error) || text.slice(0, 200)}`;
}

/** Why no event may have come yet; `others`: agents that read the same queue. */
export function describeSilence(
  { queue, exchange }: { readonly queue: string; readonly exchange: string },
  others: 'none' | 'maybe' | 'seen',
): string {
  if (others === 'seen') {
    return `Another agent reads the queue ${queue}; this one stands by and takes over when that one stops.`;
  }
  const maybe = others === 'none' ? '' : `; or another agent, started at the same time, reads the queue ${queue}`;
  return `No event came so far: start the workers with -E, and check that their event_exchange is "${exchange}"${maybe}.`;
}

function describeRefusal(text: string, url: AmqpUrl): string | undefined {
  const where = whereOf(url);
  const user = `user "${url.username}"`;
  if (
    /ACCESS[-_]REFUSED.*(Login|login)|authentication/.test(text) ||
    /Handshake terminated by server: 403/.test(text)
  ) {
    const guest = url.username === 'guest' ? ' (guest may log in from localhost only)' : '';
    return `RabbitMQ at ${where} refuses ${user} with this password (403)${guest}: check the credentials in the broker URL.`;
  }
  // amqplib keeps the broker's reason to itself: no such virtual host, no permission, or a limit.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(text)) {
    const host = url.virtualHost;
    return `RabbitMQ at ${where} does not open the virtual host "${host}" to ${user}: check the path of the broker URL, rabbitmqctl list_vhosts, and rabbitmqctl set_permissions -p "${host}" ${url.username} ".*" ".*" ".*".`;
  }
  if (/ACCESS[-_]REFUSED/.test(text)) {
    const refused = /access to ([^"]*?) refused/.exec(text)?.[1] ?? 'what the agent needs';
    return `RabbitMQ at ${where} refuses ${user} access to ${refused} (403): rabbitmqctl set_permissions -p "${url.virtualHost}" ${url.username} ".*" ".*" ".*", or a narrower one for the event queue.`;
  }
  return undefined;
}

function describeNetwork(code: string, text: string, url: AmqpUrl): string | undefined {
  const where = whereOf(url);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${where} is not known (${code}): check the broker URL's host and the name service.`;
    case 'ECONNREFUSED':
      return `Nothing listens on ${where} (${code}): check host and port of the broker URL and whether RabbitMQ runs.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `There is no way to ${where} (${code}): check the broker URL's host and the network.`;
    default:
  }
  if (code !== 'ETIMEDOUT' && !/ETIMEDOUT/.test(text)) return undefined;
  if (url.tls !== undefined) return `${where} does not answer: check host and port, and whether it speaks TLS there.`;
  return `${where} does not answer: check host and port of the broker URL, the network and firewalls.`;
}

const SCHEMES = { plain: 'amqp', encrypted: 'amqps' };

function describeTlsOf(code: string, url: AmqpUrl): string | undefined {
  return url.tls === undefined ? undefined : describeTls(code, whereOf(url), SCHEMES);
}

function describeRest(text: string, url: AmqpUrl): string {
  const where = whereOf(url);
  if (/closed abruptly|ECONNRESET|EPIPE|Socket|socket|Invalid frame|Frame size/.test(text)) {
    const advice =
      url.tls === undefined
        ? 'is it a TLS port (amqps://), or no RabbitMQ at all?'
        : 'is it a TLS port, and does it ask for a client certificate?';
    return `${where} closes the connection at once: ${advice}`;
  }
  return `RabbitMQ at ${where} cannot be used: ${text.slice(0, 200)}.`;
}
