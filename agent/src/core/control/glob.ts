/**
 * Python's `fnmatch.fnmatch` on Linux (`*`, `?`, `[seq]`, `[!seq]`; case-sensitive, no braces, no path separators), by
 * which workers judge a `glob` pattern (kombu/matcher.py).
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const steps = parse(pattern);
  const chars = Array.from(text);
  // Where the last star stands and how much it has taken so far: no other star needs to be tried again.
  let [step, at, star, taken] = [0, 0, -1, 0];
  while (at < chars.length) {
    const matcher = steps[step];
    if (matcher === 'star') {
      [star, taken] = [step, at];
      step++;
    } else if (matcher?.(chars[at] ?? '') === true) {
      step++;
      at++;
    } else if (star >= 0) {
      step = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  while (steps[step] === 'star') step++;
  return step === steps.length;
}

type Step = 'star' | ((char: string) => boolean);

function parse(pattern: string): Step[] {
  const chars = Array.from(pattern);
  const steps: Step[] = [];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '*') steps.push('star');
    else if (char === '?') steps.push(() => true);
    else if (char === '[') {
      const end = setEnd(chars, i);
      if (end < 0) steps.push((other) => other === '[');
      else {
        steps.push(setStep(chars.slice(i + 1, end)));
        i = end;
      }
    } else steps.push((other) => other === char);
  }
  return steps;
}

/** Index of the closing bracket; one that stands first belongs to the set. -1: an open bracket is itself. */
function setEnd(chars: readonly string[], open: number): number {
  let from = open + 1;
  if (chars[from] === '!') from++;
  if (chars[from] === ']') from++;
  return chars.indexOf(']', from);
}

function setStep(members: readonly string[]): Step {
  const negated = members[0] === '!';
  const list = negated ? members.slice(1) : members;
  const ranges: (readonly [string, string])[] = [];
  for (let i = 0; i < list.length; i++) {
    const from = list[i] ?? '';
    const to = list[i + 2];
    if (list[i + 1] === '-' && to !== undefined) {
      ranges.push([from, to]);
      i += 2;
    } else ranges.push([from, from]);
  }
  const code = (char: string): number => char.codePointAt(0) ?? 0;
  return (char) => ranges.some(([from, to]) => code(from) <= code(char) && code(char) <= code(to)) !== negated;
}
