import type { DataQuery } from '@grafana/schema';
import type { ChoiceKind } from '../choices';

/** Lists that a variable may be filled with. `recent`: ids of the latest tasks. */
export type VariableKind = 'tasks' | 'workers' | 'queues' | 'states' | 'exceptions' | 'recent';

export interface VariableQuery extends DataQuery {
  readonly kind?: VariableKind;
}

export const CHOICES: Readonly<Record<Exclude<VariableKind, 'recent'>, ChoiceKind>> = {
  tasks: 'names',
  workers: 'workers',
  queues: 'queues',
  states: 'states',
  exceptions: 'exceptionTypes',
};
