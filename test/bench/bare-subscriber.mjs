/** The ceiling: an ioredis subscriber that decodes every message and counts its events. Prints the count when asked. */
import { Redis } from 'ioredis';

const redis = new Redis(process.argv[2] ?? 'redis://127.0.0.1:6379', { maxRetriesPerRequest: null });
let events = 0;
redis.on('pmessageBuffer', (_pattern, _channel, payload) => {
  const body = JSON.parse(Buffer.from(JSON.parse(payload).body, 'base64').toString());
  events += Array.isArray(body) ? body.length : 1;
});
await redis.psubscribe('/0.celeryev/*');
process.stdin.on('data', () => console.log(events));
console.log('listening');
