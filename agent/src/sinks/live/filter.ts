import type { LiveFilter, LiveMessage, LiveTask } from '../../http/ports.ts';

/** As the API has it, and by workflow. */
export interface HubFilter extends LiveFilter {
  readonly rootId?: string;
}

type Test = (message: LiveMessage) => boolean;

/**
 * Compiles a filter. What is only said of tasks (`names`, `states`, `queues`, `taskId`, `rootId`) lets no message
 * about a worker through.
 */
export function compileFilter(filter: HubFilter): Test {
  const tests: Test[] = [];
  if (filter.kinds !== undefined) tests.push(isIn(filter.kinds, (message) => message.kind));
  if (filter.workers !== undefined) tests.push(isIn(filter.workers, (message) => message.worker));
  if (filter.names !== undefined) tests.push(ofTask(nameTest(filter.names)));
  if (filter.states !== undefined) tests.push(ofTask(isIn(filter.states, (task: LiveTask) => task.state)));
  if (filter.queues !== undefined) tests.push(ofTask(isIn(filter.queues, (task: LiveTask) => task.queue)));
  if (filter.taskId !== undefined) tests.push(ofTask((task) => task.taskId === filter.taskId));
  if (filter.rootId !== undefined) tests.push(ofTask((task) => task.rootId === filter.rootId));
  return (message) => tests.every((test) => test(message));
}

function isIn<M>(values: readonly string[], read: (message: M) => string | null): (message: M) => boolean {
  const set = new Set(values);
  return (message) => {
    const value = read(message);
    return value !== null && set.has(value);
  };
}

function ofTask(test: (task: LiveTask) => boolean): Test {
  return (message) => message.kind === 'task' && test(message);
}

/** Exact names; a trailing `*` makes a prefix, a leading one a suffix, both a part. */
function nameTest(patterns: readonly string[]): (task: LiveTask) => boolean {
  const tests = patterns.map((pattern): ((name: string) => boolean) => {
    const [isSuffix, isPrefix] = [pattern.startsWith('*'), pattern.endsWith('*') && pattern.length > 1];
    const text = pattern.slice(isSuffix ? 1 : 0, isPrefix ? -1 : undefined);
    if (isSuffix && isPrefix) return (name) => name.includes(text);
    if (isPrefix) return (name) => name.startsWith(text);
    return isSuffix ? (name) => name.endsWith(text) : (name) => name === text;
  });
  return ({ name }) => name !== null && tests.some((test) => test(name));
}
