/** What a benchmark asks of the page, as `window.measure`. */
const seen = new Map<string, number>();

export const measure = {
  /** Moves the first table so many pixels in each frame, down and, at the end, up again. */
  scroll: (pixels: number, frames: number): Promise<void> =>
    new Promise((resolve) => {
      const table = document.querySelector('[role="grid"]');
      if (table === null) {
        throw new Error('no table is in the page');
      }
      table.scrollTop = 0;
      let [step, by] = [0, pixels];
      const move = () => {
        const before = table.scrollTop;
        table.scrollTop = before + by;
        by = table.scrollTop === before ? -by : by;
        step += 1;
        if (step <= frames) {
          requestAnimationFrame(move);
        } else {
          resolve();
        }
      };
      requestAnimationFrame(move);
    }),
  /** From now on notes when a text that begins with `probe-` is first in the page. */
  watchProbes: (): void => {
    const look = () => {
      for (const [id] of (document.body.textContent ?? '').matchAll(/probe-[0-9a-f]+/g)) {
        if (!seen.has(id)) {
          seen.set(id, Date.now());
        }
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  },
  /** Probes and the epoch ms at which they were first seen. */
  probes: (): Array<[id: string, atMs: number]> => [...seen],
  /** Ms from the panel's first drawing to its first rows. */
  firstRowsMs: (): number => {
    const [panel] = performance.getEntriesByName('panel');
    const [rows] = performance.getEntriesByName('rows');
    return (rows?.startTime ?? Number.NaN) - (panel?.startTime ?? Number.NaN);
  },
};
