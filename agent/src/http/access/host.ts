import { isIP } from 'node:net';
import { isLoopback } from '../../lib/loopback.ts';

/**
 * Names by which a server may be asked for without credentials, besides localhost and IP addresses: undefined for any.
 * On loopback only those given and the address itself: a page of any site may let its own name point to 127.0.0.1, and
 * then reads the answers as its own (DNS rebinding). On another address the reads were opened to the network anyway,
 * so names count there only where some are given; a browser cannot reach a Unix socket.
 */
export function allowedHosts(options: {
  readonly address: string;
  readonly unixSocket?: string | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
}): readonly string[] | undefined {
  const { address, unixSocket, allowedHosts: given = [] } = options;
  if (unixSocket !== undefined || (given.length === 0 && !isLoopback(address))) return undefined;
  return [...given, address].map((name) => name.toLowerCase());
}

/**
 * Why a request that shows no credentials is not answered; undefined when it is.
 *
 * @param header `Host` as the client sent it, not as a proxy tells it: a page may set the headers of proxies itself
 * @param allowed as `allowedHosts` returns it
 */
export function hostFault(header: string | undefined, allowed: readonly string[] | undefined): string | undefined {
  // Browsers always send it.
  if (allowed === undefined || header === undefined) return undefined;
  const name = header.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost' || bare.endsWith('.localhost') || isIP(bare) !== 0 || allowed.includes(bare))
    return undefined;
  const shown = /^[\w.-]{1,253}$/.test(name) ? name : 'another name';
  return (
    `This agent is not known as ${shown}: ask for localhost or an IP address, send a token or log in ` +
    '(--basic-auth, --tokens, --oidc-issuer), or start it with the name in --allowed-hosts.'
  );
}
