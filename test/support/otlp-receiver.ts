import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { closeAtEnd } from './cleanup.ts';
import { readLogs, readTraces, type ReceivedLog, type ReceivedSpan } from './otlp-protobuf.ts';
import { freePort } from './ports.ts';

/** How the receiver answers: takes it, answers this status, or says nothing at all. */
export type Manner =
  'take' | 'silent' | { readonly status: number; readonly retryAfter?: number; readonly body?: string };

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
  /** What came as JSON, which is not decoded further. */
  readonly json: unknown;
}

/**
 * Stands for Tempo and Loki, which are no packages of Debian: takes OTLP over HTTP (protobuf, gzip or not) as they do,
 * decodes it by the field numbers of opentelemetry-proto, with none of the code that wrote it, and keeps it.
 */
export interface OtlpReceiver {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly logs: ReceivedLog[];
  readonly requests: ReceivedRequest[];
  manner: Manner;
  /** Ends it and every connection; the port stays its own for `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Undefined: the sender went away, as the agent does when its timeout is over, and sends it all again. */
async function wholeBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** Not listening yet where `isClosed`. */
export async function startOtlpReceiver({ isClosed = false } = {}): Promise<OtlpReceiver> {
  const port = await freePort();
  const server = createServer((request, response) => void answer(request, response));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    spans: [],
    logs: [],
    requests: [],
    manner: 'take',
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    open: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await wholeBody(request);
    if (sent === undefined) return;
    const path = request.url ?? '';
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const isJson = request.headers['content-type'] === 'application/json';
    const json = isJson ? (JSON.parse(body.toString('utf8')) as unknown) : undefined;
    receiver.requests.push({ path, headers: request.headers, bytes: sent.length, json });
    const { manner } = receiver;
    if (manner === 'silent') return;
    if (manner !== 'take') {
      if (manner.retryAfter !== undefined) response.setHeader('retry-after', manner.retryAfter);
      response.writeHead(manner.status).end(manner.body ?? 'not now');
      return;
    }
    if (!isJson && path === '/v1/traces') receiver.spans.push(...readTraces(body));
    if (!isJson && path === '/v1/logs') receiver.logs.push(...readLogs(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }

  if (!isClosed) await receiver.open();
  closeAtEnd({ close: () => receiver.close() });
  return receiver;
}
