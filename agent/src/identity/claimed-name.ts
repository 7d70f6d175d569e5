const MAX_NAME = 64;
const MAX_WORD = 24;
/** Shorter words are too short for a secret that is worth the name. */
const SUSPICIOUS_WORD = 12;
const MAX_DIGITS = 8;

/**
 * What the audit may call somebody who failed to log in under a name that no user has. People paste a token or a
 * password where the name belongs (`curl -u TOKEN:`), and that must be kept nowhere.
 *
 * @param digest tells apart without telling anything; its beginning stands for what is no name
 */
export function claimedName(name: string, digest: () => string): string {
  return looksLikeName(name)
    ? name
    : `hidden-${digest()
        .replace(/[^A-Za-z0-9]/g, '')
        .slice(0, 8)}`;
}

/** Names and mail addresses are short words of letters; random text is long, or mixes digits and cases. */
function looksLikeName(text: string): boolean {
  if (text.length > MAX_NAME || !/^[\p{L}\p{N} ._@+\\-]*$/u.test(text)) return false;
  if ((text.match(/\p{N}/gu) ?? []).length > MAX_DIGITS) return false;
  return text.split(/[^\p{L}\p{N}]+/u).every((word) => word.length <= MAX_WORD && !isRandom(word));
}

function isRandom(word: string): boolean {
  if (word.length < SUSPICIOUS_WORD) return false;
  const digitsInside = /\p{N}\p{L}/u.test(word);
  const turns = word.match(/\p{Ll}\p{Lu}/gu) ?? [];
  return digitsInside || turns.length > 2;
}
