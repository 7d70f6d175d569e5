/**
 * Where a key takes the active row.
 *
 * @param index -1: none is active yet
 * @param page rows in sight
 * @returns undefined for a key that does not move it
 */
export function moveFocus(key: string, index: number, count: number, page: number): number | undefined {
  const to = target(key, index, count, page);
  return to === undefined || count === 0 ? undefined : Math.min(Math.max(to, 0), count - 1);
}

function target(key: string, index: number, count: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return index + 1;
    case 'ArrowUp':
      return index < 0 ? 0 : index - 1;
    case 'PageDown':
      return index + page;
    case 'PageUp':
      return index - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
