#!/usr/bin/env node
/**
 * Publishes synthetic Celery events straight to Redis, or makes them for RabbitMQ. As a program: `node publish.mjs --help`; as a module: see the
 * exports. The events are what a worker of Celery 5.7 sends, batched as its event loop batches them (`task.multi`).
 */
import { createConnection } from 'node:net';
import { pathToFileURL } from 'node:url';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { malformedMessages } from './malformed.mjs';

const NAMES = ['shop.add', 'shop.send_email', 'shop.resize_image', 'shop.charge_card', 'shop.build_report'];

/**
 * JSON as Python's `json.dumps` writes it, with its blanks: what kombu sends, to the byte.
 * @param {unknown} value @returns {string}
 */
function pythonJson(value) {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${pythonJson(member)}`);
  return `{${members.join(', ')}}`;
}

/** @param {unknown} body @param {string} routingKey @returns {string} kombu's envelope on Redis (celery-wire 1.1) */
export function envelope(body, routingKey) {
  return pythonJson({
    body: Buffer.from(pythonJson(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { hostname: 'w1@bench' },
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: 'celeryev', routing_key: routingKey },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: randomUUID(),
    },
  });
}

/**
 * The events of `tasks` tasks, three each (received, started, then succeeded or, for 2 of 100, failed), as the workers
 * send them: each worker has `concurrency` tasks in hand, so that events of different tasks stand side by side.
 *
 * @param {{ tasks: number, workers?: number, concurrency?: number, startMs?: number, perSecond?: number }} options
 * @returns {Generator<{ worker: number, event: Record<string, unknown> }>}
 */
export function* taskEvents({ tasks, workers = 4, concurrency = 8, startMs = Date.now(), perSecond = 10_000 }) {
  const clocks = new Array(workers).fill(100);
  const open = Array.from({ length: workers }, () => /** @type {{ index: number, id: string, step: number }[]} */ ([]));
  let sent = 0;
  let events = 0;
  while (sent < tasks || open.some((list) => list.length > 0)) {
    for (let worker = 0; worker < workers; worker++) {
      const list = open[worker] ?? [];
      if (list.length < concurrency && sent < tasks) list.push({ index: sent++, id: randomUUID(), step: 0 });
      const task = list[0];
      if (task === undefined) continue;
      list.shift();
      const timestamp = startMs / 1000 + events++ / perSecond;
      const event = taskEvent(task, { timestamp, worker, clock: (clocks[worker] += 1) });
      if (++task.step < 3) list.push(task);
      yield { worker, event };
    }
  }
}

/**
 * @param {{ index: number, id: string, step: number }} task
 * @param {{ timestamp: number, worker: number, clock: number }} head
 */
function taskEvent({ index, id, step }, { timestamp, worker, clock }) {
  const head = { hostname: `w${worker + 1}@bench`, utcoffset: 0, pid: 4000 + worker, clock, uuid: id };
  if (step === 0) {
    const args = `(${index}, 'order-${index}', 'customer ${index % 5000}')`;
    const kwargs = `{'amount': ${(index % 997) / 10}, 'currency': 'EUR', 'note': 'please leave at the door'}`;
    const name = NAMES[index % NAMES.length];
    const more = { root_id: id, parent_id: null, retries: 0, eta: null, expires: null };
    return { ...head, name, args, kwargs, ...more, timestamp, type: 'task-received' };
  }
  if (step === 1) return { ...head, timestamp, type: 'task-started' };
  if (index % 50 === 49) {
    const traceback = `Traceback (most recent call last):\n  File "shop.py", line ${index % 300}, in run\nValueError: no stock\n`;
    return { ...head, exception: `ValueError('no stock for ${index}')`, traceback, timestamp, type: 'task-failed' };
  }
  return {
    ...head,
    result: `{'ok': ${index}}`,
    runtime: 0.01 + (index % 100) / 1000,
    timestamp,
    type: 'task-succeeded',
  };
}

/**
 * The same events as messages, by worker.
 *
 * @param {{ tasks: number, batch?: number, workers?: number, startMs?: number, perSecond?: number }} options
 *   `batch`: events in a message, default 20 (a worker flushes at 24); 1 = single messages
 * @returns {Generator<{ routingKey: string, body: unknown, events: number }>}
 */
function* messages(options) {
  const { batch = 20, workers = 4 } = options;
  const waiting = Array.from({ length: workers }, () => /** @type {Record<string, unknown>[]} */ ([]));
  for (const { worker, event } of taskEvents(options)) {
    if (batch === 1) {
      yield { routingKey: String(event['type']).replaceAll('-', '.'), body: event, events: 1 };
      continue;
    }
    const list = waiting[worker] ?? [];
    if (list.push(event) < batch) continue;
    yield { routingKey: 'task.multi', body: list, events: list.length };
    waiting[worker] = [];
  }
  for (const list of waiting) {
    if (list.length > 0) yield { routingKey: 'task.multi', body: list, events: list.length };
  }
}

/**
 * The same events as Redis commands (RESP), ready to be written to a socket.
 *
 * @param {{ tasks: number, batch?: number, db?: number, workers?: number, startMs?: number, perSecond?: number }} options
 * @returns {Generator<{ command: Buffer, events: number }>}
 */
export function* encodedMessages(options) {
  for (const { routingKey, body, events } of messages(options)) {
    yield { command: publishCommand(options.db ?? 0, routingKey, body), events };
  }
}

/**
 * The same events as RabbitMQ gets them: the body alone.
 *
 * @param {{ tasks: number, batch?: number, workers?: number, startMs?: number, perSecond?: number }} options
 * @returns {Generator<{ routingKey: string, payload: Buffer, events: number }>}
 */
export function* amqpMessages(options) {
  for (const { routingKey, body, events } of messages(options)) {
    yield { routingKey, payload: Buffer.from(pythonJson(body)), events };
  }
}

/** @param {number} db @param {string} routingKey @param {unknown} body */
export function publishCommand(db, routingKey, body) {
  return rawPublish(`/${db}.celeryev/${routingKey}`, Buffer.from(envelope(body, routingKey)));
}

/** @param {string} channel @param {Buffer} payload */
export function rawPublish(channel, payload) {
  const head = `*3\r\n$7\r\nPUBLISH\r\n$${Buffer.byteLength(channel)}\r\n${channel}\r\n$${payload.length}\r\n`;
  return Buffer.concat([Buffer.from(head), payload, Buffer.from('\r\n')]);
}

/** A heartbeat that keeps a synthetic worker online. @param {number} worker @param {number} clock */
export function heartbeat(worker, clock) {
  const head = { hostname: `w${worker + 1}@bench`, utcoffset: 0, pid: 4000 + worker, clock, freq: 2 };
  const sw = { sw_ident: 'py-celery', sw_ver: '5.7.0', sw_sys: 'Linux' };
  const load = { active: 3, processed: clock, loadavg: [0.5, 0.4, 0.3] };
  return { ...head, ...sw, ...load, timestamp: Date.now() / 1000, type: 'worker-heartbeat' };
}

/**
 * Writes commands to Redis over one plain connection and resolves when Redis has answered them all.
 *
 * @param {string} url
 * @param {Iterable<{ command: Buffer, events: number }>} messages
 * @param {{ perSecond?: number }} [options] events per second, default as fast as Redis takes them
 * @returns {Promise<{ events: number, messages: number, seconds: number }>}
 */
export async function publish(url, messages, { perSecond = Infinity } = {}) {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port || 6379), noDelay: true });
  let answered = 0;
  let failure = '';
  let wake = () => {};
  socket.on('data', (data) => {
    for (const byte of data) if (byte === 10) answered++;
    if (data[0] === 45) failure = data.toString('latin1');
    wake();
  });
  socket.on('error', (error) => (failure = String(error)));
  const change = () => new Promise((/** @type {(value?: unknown) => void} */ resolve) => (wake = () => resolve()));
  const started = performance.now();
  let events = 0;
  let written = 0;
  for (const message of messages) {
    if (failure) throw new Error(`Redis: ${failure}`);
    const aheadMs = (events / perSecond) * 1000 - (performance.now() - started);
    if (aheadMs > 5) await sleep(aheadMs);
    while (written - answered > 2000) await Promise.race([change(), sleep(1000)]);
    socket.write(message.command);
    written++;
    events += message.events;
  }
  while (answered < written && !failure) await Promise.race([change(), sleep(1000)]);
  socket.destroy();
  if (failure) throw new Error(`Redis: ${failure}`);
  return { events, messages: written, seconds: (performance.now() - started) / 1000 };
}

/** Puts every kind of malformed message between the good ones. @param {Iterable<{ command: Buffer, events: number }>} good */
export function* withMalformed(good, db = 0) {
  const bad = malformedMessages().map(({ channel, payload }) => rawPublish(`/${db}.celeryev/${channel}`, payload));
  let next = 0;
  for (const message of good) {
    yield message;
    const command = bad[next++];
    if (command !== undefined) yield { command, events: 0 };
  }
  for (const command of bad.slice(next)) yield { command, events: 0 };
}

const HELP = `node publish.mjs [--url redis://127.0.0.1:6379] [--db 0] [--tasks 10000] [--batch 20] [--rate EVENTS/S]
  [--malformed] [--wait]
--batch 1 sends single messages; --malformed puts every kind of malformed message between the good ones;
--wait encodes everything first, prints "ready" and starts at the first line on stdin.
Prints {"events", "messages", "seconds"} at the end.`;

async function main() {
  const { parseArgs } = await import('node:util');
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      url: { type: 'string', default: 'redis://127.0.0.1:6379' },
      db: { type: 'string', default: '0' },
      tasks: { type: 'string', default: '10000' },
      batch: { type: 'string', default: '20' },
      rate: { type: 'string', default: 'Infinity' },
      malformed: { type: 'boolean', default: false },
      wait: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const db = Number(values.db);
  const options = { tasks: Number(values.tasks), batch: Number(values.batch), db };
  const perSecond = Number(values.rate);
  /** @type {Iterable<{ command: Buffer, events: number }>} */
  let messages = encodedMessages(Number.isFinite(perSecond) ? { ...options, perSecond } : options);
  if (values.malformed) messages = withMalformed(messages, db);
  if (values.wait) {
    messages = [...messages];
    console.log('ready');
    await new Promise((resolve) => process.stdin.once('data', resolve));
  }
  console.log(JSON.stringify(await publish(values.url, messages, { perSecond })));
  process.stdin.destroy();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
