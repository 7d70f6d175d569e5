import type { CeleryDataSource } from '../../datasource/datasource';

/** Shows what an action made of things at once, without waiting for the dashboard's refresh. */
export function refreshAfter(source: CeleryDataSource): void {
  (source as { refresh?: () => void }).refresh?.();
}
