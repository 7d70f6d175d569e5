export { openRedisTransport } from './transport.ts';
export type { RedisTransportDeps, RedisTransportOptions } from './transport.ts';
export { eventPatterns } from './channels.ts';
export type { ChannelOptions, EventPattern } from './channels.ts';
