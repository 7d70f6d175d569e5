import type { TaskFilterFields } from '../src/datasource/query';

/** The variables of the page as a filter; a page leaves out what it has no variable for. */
export const BY_VARIABLES: TaskFilterFields = { names: ['$task'], queues: ['$queue'], workers: ['$worker'] };
export const WITH_STATE: TaskFilterFields = { ...BY_VARIABLES, states: ['$state'] };

export const inStates = (...states: string[]): TaskFilterFields => ({ ...BY_VARIABLES, states });

/** Runs that came to an end, however. */
export const ENDED: TaskFilterFields = inStates('SUCCESS', 'FAILURE', 'RETRY', 'REVOKED', 'REJECTED');
