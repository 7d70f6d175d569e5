export type WorkflowView = 'graph' | 'gantt';

export interface WorkflowOptions {
  /** What is shown first; the panel has a switch */
  readonly view: WorkflowView;
  /** So many equal siblings are drawn as one, "×120"; 0 for never */
  readonly collapseFrom: number;
  readonly legend: boolean;
}

export const DEFAULT_OPTIONS: WorkflowOptions = { view: 'graph', collapseFrom: 6, legend: true };
