import { useEffect, useState } from 'react';

/**
 * Gives the focus back, once a dialog or drawer is gone, to what had it before. Grafana's own take it from where the
 * focus is once they are drawn, which is inside of them already.
 */
export function useReturnFocus(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        if (document.activeElement === document.body && before instanceof HTMLElement) {
          before.focus({ preventScroll: true });
        }
      });
    },
    [before],
  );
}
