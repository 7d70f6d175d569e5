import { ControlRefused } from './command.ts';

/** Together with the length of a worker's name these bound the time of a match, which would stop everything else. */
const MAX_REPEATS = 4;
const MAX_GROUPS = 4;

const SET = /\[(?:\^|(?!\^))(?:[^\\[\]]|\\[dDsSwW]|\\[^\w\s])+\]/y;
/** Each kind of what Python's `re` and JavaScript read alike, or can be put so. */
const PARTS: readonly (readonly [kind: 'group' | 'end' | 'repeat' | 'other', RegExp])[] = [
  ['group', /\((?:\?[:=!])?(?!\?)/y],
  ['end', /\)/y],
  ['repeat', /(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{])/y],
  ['other', SET],
  ['other', /\\[dDsSwW]|\\[^\w\s]|[^\\()[{}*+?]/y],
];

/**
 * Python's `re.match`, anchored at the start only, by which workers judge a `pcre` pattern (kombu/matcher.py). Takes
 * what Python and JavaScript read alike, and refuses the rest: a worker that cannot compile a pattern tells nobody.
 *
 * @throws ControlRefused `bad-argument`, field `pattern`
 */
export function pythonPattern(pattern: string): (text: string) => boolean {
  let source = '';
  let [repeats, groups] = [0, 0];
  let before = '';
  for (let at = 0; at < pattern.length;) {
    const [kind, text] = partAt(pattern, at);
    if (kind === 'group' && ++groups > MAX_GROUPS) throw refused(`has more than ${MAX_GROUPS} groups`);
    if (kind === 'repeat' && ++repeats > MAX_REPEATS) throw refused(`has more than ${MAX_REPEATS} of * + ? {}`);
    if (kind === 'repeat' && before === 'end' && !text.startsWith('?')) throw refused('repeats a group');
    source += kind === 'other' ? translated(text) : text;
    before = kind;
    at += text.length;
  }
  try {
    const compiled = new RegExp(`^(?:${source})`, 'u');
    return (text) => compiled.test(text);
  } catch {
    throw refused('is no regular expression');
  }
}

function partAt(pattern: string, at: number): readonly [(typeof PARTS)[number][0], string] {
  for (const [kind, form] of PARTS) {
    form.lastIndex = at;
    const [text] = form.exec(pattern) ?? [];
    if (text !== undefined) return [kind, text];
  }
  throw refused(`cannot be judged from '${pattern.slice(at, at + 10)}' on`);
}

/** Python's classes are of Unicode, its dot knows one line end, and it takes a needless escape. */
function translated(text: string): string {
  if (text === '.') return '[^\\n]';
  if (text === ']') return '\\]';
  if (text.startsWith('[') && /--|&&|\|\||~~/.test(text)) throw refused('has an operation on sets');
  return text.replace(/\\(.)/gsu, (whole, char: string) => {
    if (char === 'd' || char === 'D') return char === 'd' ? '\\p{Nd}' : '\\P{Nd}';
    if (char === 'w') return text.startsWith('[') ? '\\p{L}\\p{N}_' : '[\\p{L}\\p{N}_]';
    if (char === 'W') {
      if (text.startsWith('[')) throw refused('has \\W in a set');
      return '[^\\p{L}\\p{N}_]';
    }
    return /[sS^$\\.*+?()[\]{}|/]/.test(char) || (char === '-' && text.startsWith('[')) ? whole : char;
  });
}

function refused(what: string): ControlRefused {
  return new ControlRefused(
    'bad-argument',
    `pattern: ${what}. Of Python's expressions only plain ones are taken: signs, ., sets, \\d \\w \\s, |, *, +, ?, {n,m} and a few groups (…), (?:…), (?=…), (?!…), not repeated; else name the workers, or use a glob.`,
    'pattern',
  );
}
