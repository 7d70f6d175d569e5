import type { Socket } from 'node:net';
import { ApiProblem, errorBody } from './errors.ts';

/** Of what is no request at all there is only the socket to answer to. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, problem] = brokenRequest(error.code);
  const body = JSON.stringify(errorBody(problem));
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function brokenRequest(code: string | undefined): readonly [status: string, ApiProblem] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        new ApiProblem(431, 'headers-too-large', 'URL and headers are together longer than 16 KiB; use fewer filters.'),
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        '408 Request Timeout',
        new ApiProblem(408, 'request-timeout', 'The request did not come to its end in time.'),
      ];
    default:
      return ['400 Bad Request', new ApiProblem(400, 'bad-request', 'This is no request of HTTP/1.1.')];
  }
}
