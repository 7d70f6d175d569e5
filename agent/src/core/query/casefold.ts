/**
 * Python's `str.casefold` (full Unicode case folding): the form in which Flower compares texts, `Straße` = `STRASSE`.
 * Unicode's own tables of two runtimes may differ by their version; nothing else does.
 */
export function casefold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  let folded = '';
  for (const char of text) folded += foldChar(char);
  return folded;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

function foldChar(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return char.toLowerCase();
  // Cherokee folds to its capitals, and the dotless i to itself: the two exceptions to lower(upper(lower(x))).
  if (code >= 0x13f8 && code <= 0x13fd) return String.fromCodePoint(code - 8);
  if (code >= 0xab70 && code <= 0xabbf) return String.fromCodePoint(code - 0x97d0);
  if ((code >= 0x13a0 && code <= 0x13f5) || code === 0x131) return char;
  return char.toLowerCase().toUpperCase().toLowerCase();
}
