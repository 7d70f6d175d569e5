import { isFlowerPath } from '../access/flower-path.ts';
import { invalidUnicode, percentDecoded } from './arguments.ts';
import type { FlowerError } from './flower-error.ts';

/** The part of a path that is a name or an id. */
const NAMED = /\/api\/(?:task|worker(?:\/pool|\/queue)?)\/[\w-]+\/(.*)$/s;

/** The URL as the router reads it; in Flower's paths a `%` that escapes nothing stands for itself, as in Python. */
export function readableUrl(url: string, prefix: string): string {
  const [path = '', ...query] = url.split('?');
  if (!isFlowerPath(path.slice(prefix.length))) return url;
  return [path.replace(/%(?![\da-f]{2})/gi, '%25'), ...query].join('?');
}

/** Flower's answer to a path that is no UTF-8; undefined for paths that are not Flower's. */
export function badPath(url: string, prefix: string): FlowerError | undefined {
  const path = url.split('?', 1)[0] ?? '';
  if (!isFlowerPath(path.slice(prefix.length))) return undefined;
  return invalidUnicode('url', percentDecoded(NAMED.exec(path)?.[1] ?? path));
}
