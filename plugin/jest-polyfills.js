/** What @grafana/* expects of a browser and jsdom lacks. */
const { TextDecoder, TextEncoder } = require('util');
const { ReadableStream, TransformStream, WritableStream } = require('stream/web');

class QuietMessageChannel {
  port1 = { postMessage() {}, close() {}, onmessage: null };
  port2 = { postMessage() {}, close() {}, onmessage: null };
}

Object.assign(globalThis, {
  TextDecoder,
  TextEncoder,
  ReadableStream,
  TransformStream,
  WritableStream,
  // A real one keeps the test process alive.
  MessageChannel: globalThis.MessageChannel ?? QuietMessageChannel,
});
