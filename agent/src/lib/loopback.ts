import { isIP } from 'node:net';

/** Whether only this machine can reach a server on the address. */
export function isLoopback(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true;
  return isIP(address) === 4 && address.startsWith('127.');
}
