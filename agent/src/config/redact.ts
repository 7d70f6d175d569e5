/** Stands for anything that must not be seen. */
export const HIDDEN = '***';

const SECRET_KEY = /passw|pwd|secret|token|credential|(^|[_-])key$/i;

/**
 * URLs with their passwords hidden, several between semicolons; text that is not understood is hidden as a whole,
 * since a password may be anywhere in it.
 */
export function redactUrls(urls: string): string {
  return urls.split(';').map(redactUrl).join(';');
}

function redactUrl(url: string): string {
  const match = /^(\s*[a-z][a-z0-9+.-]*:\/\/)([^?#]*)(.*)$/is.exec(url);
  if (match === null) return /[@\s]|:.*:/.test(url) ? HIDDEN : url;
  const [, scheme = '', rest = '', tail = ''] = match;
  // The last @ counts: a password may hold an unescaped one, and then a slash as well.
  const at = rest.lastIndexOf('@');
  const credentials = rest.slice(0, Math.max(at, 0));
  const user = credentials.includes(':') ? `${credentials.slice(0, credentials.indexOf(':'))}:${HIDDEN}` : credentials;
  return `${scheme}${at < 0 ? rest : `${user}@${rest.slice(at + 1)}`}${redactQuery(tail)}`;
}

function redactQuery(tail: string): string {
  if (tail.includes('@')) return HIDDEN; // an unescaped ? or # in a password
  return tail.replaceAll(/([?&])([^=&#]*)=([^&#]*)/g, (whole, mark: string, key: string) =>
    SECRET_KEY.test(key) ? `${mark}${key}=${HIDDEN}` : whole,
  );
}

/** A text with the password of every URL in it hidden. */
export function redactUrlsIn(line: string): string {
  if (!line.includes('://')) return line;
  return line.replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'\\]*):[^\s@"'\\]+@/gi, `$1:${HIDDEN}@`);
}
