import { createHash } from 'node:crypto';

/** The strong tag tornado gives a whole body (tornado/web.py `compute_etag`): its sha1 in quotes. */
export function etagOf(body: string): string {
  return `"${createHash('sha1').update(body).digest('hex')}"`;
}

/** Whether `If-None-Match` names the tag; weak comparison, as tornado's `check_etag_header`. */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
  return tags[0] === '*' || tags.some((tag) => tag.replace(/^W\//, '') === etag);
}
