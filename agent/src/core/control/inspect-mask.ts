/** What Celery itself puts in place of a secret setting (celery/app/utils.py `Settings.table`). */
export const MASKED = '********';

/** As Celery's HIDDEN_SETTINGS, narrowed for `key` and `api`: routing keys and the like are worth seeing. */
const SECRET_KEY =
  /passw|passphrase|pwd|secret|token|credential|authori[sz]ation|cookie|signature|api_?key|private|dsn/i;
const ENDS_IN_KEY = /(^|[_-])key$/i;
const PLAIN_KEY = /routing_key$|^key$/i;
const USER_AND_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'\\]*):(?!\*+@)[^\s@"'\\]+@/gi;
const SECRET_IN_QUERY = /([?&][^=&#\s"']*(?:passw|pwd|secret|token|credential)[^=&#\s"']*=)[^&#\s"']+/gi;

/** A setting, or a member of one, whose value is not to be seen. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) || (ENDS_IN_KEY.test(key) && !PLAIN_KEY.test(key));
}

/** The text with the password of every URL in it hidden. */
export function maskUrls(text: string): string {
  if (!text.includes('://')) return text;
  return text.replaceAll(USER_AND_PASSWORD, '$1:**@').replaceAll(SECRET_IN_QUERY, '$1**');
}

/**
 * What a worker tells of itself with what looks secret masked, at every depth and whatever is configured: members with telling names, passwords in URLs, and
 * the fail-over URLs of the broker, which Celery before 5.7 tells whole and Flower drops too (celery-wire, trap 33).
 * Of a reply that is one text, e.g. `report`, the lines of telling settings.
 */
export function maskReply(method: string, reply: unknown): unknown {
  switch (method) {
    case 'stats':
      return maskStats(reply);
    case 'conf':
    case 'dump_conf':
    case 'report':
      return maskValue(reply);
    default:
      return reply;
  }
}

/** The numbers in `total` go by the names of tasks, which may tell of secrets without being any. */
function maskStats(reply: unknown): unknown {
  if (typeof reply !== 'object' || reply === null || !('total' in reply)) return maskValue(reply);
  return { ...reply, ...(maskValue({ ...reply, total: null }) as object), total: reply.total };
}

function maskValue(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\n') ? maskLines(value) : maskUrls(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const masked: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (key === 'alternates') continue;
    masked.push([key, isSecretKey(key) ? maskSecret(item) : maskValue(item)]);
  }
  return Object.fromEntries(masked);
}

/** Nothing and yes or no are no secrets, and tell whether something is set. */
function maskSecret(value: unknown): unknown {
  return value === null || typeof value === 'boolean' || value === '' ? value : MASKED;
}

function maskLines(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      maskUrls(line).replace(/^(\s*['"]?([\w.-]+)['"]?\s*[:=]\s*)\S.*$/, (whole, head: string, key: string) =>
        isSecretKey(key) ? `${head}${MASKED}` : whole,
      ),
    )
    .join('\n');
}
