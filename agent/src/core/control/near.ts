/** Most names that are suggested. */
const MOST = 3;

/** Those of `names` that `wrong` may have meant, nearest first, at most 3. */
export function nearNames(wrong: string, names: Iterable<string>): string[] {
  const wanted = wrong.toLowerCase();
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const other = name.toLowerCase();
    const distance = other.includes(wanted) || wanted.includes(other) ? 0 : editDistance(wanted, other);
    if (distance <= Math.max(2, Math.floor(wanted.length / 4))) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found.slice(0, MOST).map(({ name }) => name);
}

/** `; did you mean a or b?`, or, with nothing near, the first of `names`, so that a form of the name is seen. */
export function suggestion(wrong: string, names: readonly string[]): string {
  const near = nearNames(wrong, names);
  if (near.length > 0) return `; did you mean ${near.join(' or ')}?`;
  const some = [...names].sort().slice(0, MOST);
  const more = names.length > some.length ? ', …' : '';
  return some.length === 0 ? '.' : `; known are ${some.join(', ')}${more}.`;
}

/** Levenshtein's, of texts cut to 200 characters. */
function editDistance(one: string, other: string): number {
  const [a, b] = [one.slice(0, 200), other.slice(0, 200)];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
