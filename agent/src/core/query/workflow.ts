import type { HistoryReader } from './reader.ts';
import type { TaskRecord } from './records.ts';

/** Tasks of one group, or of the header of one chord, each of which is, or belongs to, a root of its own. */
export interface JoinedGroup {
  readonly groupId: string;
  /** At least two. */
  readonly taskIds: readonly string[];
}

export interface FoundWorkflow {
  /** Its root first; empty where nothing is known of it. */
  readonly tasks: readonly TaskRecord[];
  /** There are more. */
  readonly truncated: boolean;
  /** Groups and chords that were sent by themselves. */
  readonly groups: readonly JoinedGroup[];
  /** False: nobody told which tasks ran in groups, so tasks may be missing. */
  readonly groupsKnown: boolean;
}

/** By task id, the group it ran in; undefined where that cannot be told. */
export type GroupsOf = (taskIds: readonly string[]) => Promise<ReadonlyMap<string, string> | undefined>;

type Reader = Pick<HistoryReader, 'workflow' | 'searchTasks'>;

/** Tasks of a tree whose groups are asked for: a member of a group that was sent by itself is among its first. */
const ASKED = 200;
/** Tasks asked at once while the other members are looked for, on both sides of the known one. */
const STEP = 1000;
/** Most tasks looked at for the members of one group, on each side. */
const MOST_LOOKED_AT = 10_000;
/** A header of chords, whose headers are of chords… */
const MOST_ROUNDS = 5;

/**
 * A workflow, with the rest of the groups and chords that were sent by themselves. Of those Celery makes every member a
 * root of its own, and no event tells that they belong together: only their stored results name the group. The members
 * are looked for among the tasks that were received next to the one that is known.
 *
 * @param limit of tasks
 */
export async function findWorkflow(
  history: Reader,
  askGroupsOf: GroupsOf,
  rootId: string,
  limit: number,
): Promise<FoundWorkflow> {
  const groupsOf = askedOnce(askGroupsOf);
  const tasks = new Map<string, TaskRecord>();
  const groups = new Map<string, string>();
  const lookedFor = new Set<string>();
  const roots = new Set<string>();
  let groupsKnown = true;
  let newRoots: readonly string[] = [rootId];
  for (let round = 0; newRoots.length > 0 && round < MOST_ROUNDS && tasks.size <= limit && groupsKnown; round++) {
    const news = await history.workflow(newRoots, limit + 1);
    for (const root of newRoots) roots.add(root);
    for (const task of news) tasks.set(task.taskId, task);
    const told = await groupsOf(news.slice(0, ASKED).map(({ taskId }) => taskId));
    groupsKnown = told !== undefined;
    for (const [taskId, group] of told ?? []) groups.set(taskId, group);
    const found: TaskRecord[] = [];
    for (const [group, head] of singlesOf(tasks, groups)) {
      if (lookedFor.has(group)) continue;
      lookedFor.add(group);
      const members = await membersOf(history, groupsOf, group, head);
      for (const { taskId } of members) groups.set(taskId, group);
      found.push(...members);
    }
    newRoots = [...new Set(found.map(rootOf))].filter((root) => !roots.has(root));
  }
  const shown = new Map([...tasks].slice(0, limit));
  return {
    tasks: [...shown.values()],
    truncated: tasks.size > limit,
    groups: groupsKnown ? joinedOf(shown, groups) : [],
    groupsKnown,
  };
}

/** Members that are found are looked at again as tasks of their trees: each task is asked for once. */
function askedOnce(groupsOf: GroupsOf): GroupsOf {
  const asked = new Map<string, string | undefined>();
  return async (taskIds) => {
    const unasked = taskIds.filter((taskId) => !asked.has(taskId));
    if (unasked.length > 0 || asked.size === 0) {
      const told = await groupsOf(unasked);
      if (told === undefined) return undefined;
      for (const taskId of unasked) asked.set(taskId, told.get(taskId));
    }
    const groups = new Map<string, string>();
    for (const taskId of taskIds) {
      const group = asked.get(taskId);
      if (group !== undefined) groups.set(taskId, group);
    }
    return groups;
  };
}

const rootOf = ({ taskId, rootId }: TaskRecord): string => rootId ?? taskId;

/** Tasks by their group; not those that come after a member: the callback of a chord has the group of its header, too. */
function headsOf(
  tasks: ReadonlyMap<string, TaskRecord>,
  groups: ReadonlyMap<string, string>,
): ReadonlyMap<string, TaskRecord[]> {
  const heads = new Map<string, TaskRecord[]>();
  for (const task of tasks.values()) {
    const group = groups.get(task.taskId);
    if (group === undefined || comesAfterMember(task, group)) continue;
    const list = heads.get(group);
    if (list === undefined) heads.set(group, [task]);
    else list.push(task);
  }
  return heads;

  function comesAfterMember(task: TaskRecord, group: string): boolean {
    const seen = new Set([task.taskId]);
    for (let id = task.parentId; id !== null && !seen.has(id); id = tasks.get(id)?.parentId ?? null) {
      if (groups.get(id) === group) return true;
      seen.add(id);
    }
    return false;
  }
}

/** A group that a task sent has its members below one root; of one that was sent by itself each tree has one. */
function singlesOf(
  tasks: ReadonlyMap<string, TaskRecord>,
  groups: ReadonlyMap<string, string>,
): ReadonlyMap<string, TaskRecord> {
  const singles = new Map<string, TaskRecord>();
  for (const [group, [head, second]] of headsOf(tasks, groups)) {
    if (head !== undefined && second === undefined) singles.set(group, head);
  }
  return singles;
}

function joinedOf(tasks: ReadonlyMap<string, TaskRecord>, groups: ReadonlyMap<string, string>): JoinedGroup[] {
  return [...headsOf(tasks, groups)]
    .filter(([, heads]) => new Set(heads.map(rootOf)).size > 1)
    .map(([groupId, heads]) => ({ groupId, taskIds: heads.map(({ taskId }) => taskId) }));
}

/** Those that were received next to the one that is known, as far as members are among them. */
async function membersOf(
  history: Reader,
  groupsOf: GroupsOf,
  group: string,
  { received }: TaskRecord,
): Promise<readonly TaskRecord[]> {
  const members: TaskRecord[] = [];
  if (received === null) return members;
  for (const side of [{ receivedFrom: received }, { receivedTo: received }]) {
    const sort = { key: 'received', descending: 'receivedTo' in side } as const;
    let cursor: string | undefined;
    for (let seen = 0; seen < MOST_LOOKED_AT; seen += STEP) {
      const page = await history.searchTasks({ ...side, receivedOnly: true }, sort, STEP, cursor);
      const told = await groupsOf(page.tasks.map(({ taskId }) => taskId));
      const found = page.tasks.filter(({ taskId }) => told?.get(taskId) === group);
      members.push(...found);
      cursor = page.nextCursor;
      if (found.length === 0 || cursor === undefined) break;
    }
  }
  return members;
}
