import { DEFAULT_OPTIONS, type WorkflowOptions } from './types';

/** Options as a dashboard has them, of any version; what is missing or makes no sense becomes the default. */
export function migrateOptions(saved: Partial<WorkflowOptions> | undefined): WorkflowOptions {
  const { view, collapseFrom, legend } = { ...DEFAULT_OPTIONS, ...saved };
  return {
    view: view === 'gantt' ? 'gantt' : 'graph',
    collapseFrom: Number.isInteger(collapseFrom) && collapseFrom >= 0 ? collapseFrom : DEFAULT_OPTIONS.collapseFrom,
    legend: legend !== false,
  };
}
