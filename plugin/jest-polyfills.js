/** What @grafana/* expects of a browser and jsdom lacks. */
const { TextDecoder, TextEncoder } = require('util');
const { ReadableStream, TransformStream, WritableStream } = require('stream/web');

/** React's scheduler works off its updates through one; Node's own keeps the test process alive. */
class TimedMessageChannel {
  port1 = { onmessage: null, close() {} };
  port2 = {
    postMessage: (data) => setTimeout(() => this.port1.onmessage?.({ data })),
    close() {},
  };
}

/** jsdom lays nothing out, so there is nothing to observe. */
class QuietObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

Object.assign(globalThis, {
  ResizeObserver: globalThis.ResizeObserver ?? QuietObserver,
  IntersectionObserver: globalThis.IntersectionObserver ?? QuietObserver,
  PointerEvent: globalThis.PointerEvent ?? MouseEvent,
  TextDecoder,
  TextEncoder,
  ReadableStream,
  TransformStream,
  WritableStream,
  MessageChannel: globalThis.MessageChannel ?? TimedMessageChannel,
});
