const BLANK = /[ \t\r\n]/;

/**
 * The texts of a JSON array's elements as they stand there, so that no digit is lost by reading and writing them
 * again. Undefined where the text is no array; the elements themselves are only told apart, not checked.
 */
export function elementTexts(json: string): string[] | undefined {
  const text = json.trim();
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  const inside = text.slice(1, -1);
  if (inside.trim() === '') return [];
  return parts(inside)?.map((part) => part.trim());
}

/** The texts of a JSON object's members by name, as `elementTexts`; of a name given twice the last. */
export function memberTexts(json: string): Map<string, string> | undefined {
  const text = json.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  const inside = text.slice(1, -1);
  const members = new Map<string, string>();
  if (inside.trim() === '') return members;
  for (const part of parts(inside) ?? ['']) {
    const member = part.trim();
    const end = member.startsWith('"') ? endOfString(member, 0) : -1;
    const rest = member.slice(end).trimStart();
    if (end < 0 || !rest.startsWith(':')) return undefined;
    try {
      members.set(String(JSON.parse(member.slice(0, end))), rest.slice(1).trim());
    } catch {
      return undefined;
    }
  }
  return members;
}

/** Cut at the commas of the top level; undefined where brackets or quotes do not close, or a part is empty. */
function parts(text: string): string[] | undefined {
  const found: string[] = [];
  let [start, depth] = [0, 0];
  for (let at = 0; at < text.length;) {
    const char = text[at] ?? '';
    if (char === '"') {
      at = endOfString(text, at);
      if (at < 0) return undefined;
      continue;
    }
    if (char === '[' || char === '{') depth++;
    if (char === ']' || char === '}') depth--;
    if (depth < 0) return undefined;
    if (char === ',' && depth === 0) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
    at++;
  }
  found.push(text.slice(start));
  return depth === 0 && found.every((part) => hasContent(part)) ? found : undefined;
}

function hasContent(part: string): boolean {
  for (const char of part) if (!BLANK.test(char)) return true;
  return false;
}

/** Index behind the closing quote of the string that opens at `open`; -1 where it does not close. */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}
