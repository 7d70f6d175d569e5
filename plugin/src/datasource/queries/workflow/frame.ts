import { createDataFrame, type DataFrame, FieldType, type QueryResultMeta } from '@grafana/data';
import { STATES, STATE_COLORS, stateColor } from '../../../shared/frames/states';
import { column, tableFrame, truncated } from '../../../shared/frames/table';
import { type LinkTargets, taskLinks } from '../../../shared/links';
import { taskColumns } from '../tasks/frame';
import type { Edge } from '../../../shared/workflow/relations';
import { beginOf, endedMs } from '../../../shared/workflow/tasks';
import type { Step, Steps } from './model';

export interface WorkflowInfo {
  readonly refId: string;
  readonly rootId: string;
  readonly truncated: boolean;
  /** False: tasks of groups that were sent by themselves may be missing */
  readonly groupsKnown: boolean;
}

const noticesOf = (info: WorkflowInfo, steps: readonly Step[]) =>
  info.truncated ? [truncated(`Shows the first ${steps.length.toLocaleString('en')} tasks of a larger workflow.`)] : [];

/** One row per task, the root first. */
export function workflowFrame(info: WorkflowInfo, steps: readonly Step[], links: LinkTargets): DataFrame {
  const { refId, rootId } = info;
  return tableFrame<Step>(
    {
      refId,
      kind: 'workflow',
      custom: { rootId, filter: { rootId }, truncated: info.truncated, groupsKnown: info.groupsKnown },
      notices: noticesOf(info, steps),
    },
    [
      ...taskColumns<Step>(links),
      column.span('queueWaitMs', 'Waited', { width: 100 }),
      column.number('depth', 'Depth', { width: 80, decimals: 0 }),
      column.flag('critical', 'Critical path', { width: 110 }),
      column.text('groupId', 'Group ID', { hidden: true }),
    ],
    steps,
  );
}

/** Nodes and edges as Grafana's node graph reads them. */
export function graphFrames(info: WorkflowInfo, { steps, edges }: Steps, links: LinkTargets): DataFrame[] {
  const { refId, rootId } = info;
  const meta = (kind: string) => ({
    custom: { celery: kind, rootId },
    preferredVisualisationType: 'nodeGraph' as const,
  });
  const nodes = createDataFrame({
    refId,
    name: 'nodes',
    meta: { ...meta('workflow-nodes'), ...(info.truncated ? { notices: noticesOf(info, steps) } : {}) },
    fields: [
      text(
        'id',
        'Task ID',
        steps.map(({ taskId }) => taskId),
        { links: taskLinks(links) },
      ),
      text(
        'title',
        'Name',
        steps.map(({ name }) => name ?? 'unknown'),
      ),
      text(
        'subtitle',
        'Worker',
        steps.map(({ worker }) => worker ?? ''),
      ),
      text(
        'mainstat',
        'State',
        steps.map(({ state }) => state),
      ),
      number(
        'secondarystat',
        'Runtime',
        steps.map(({ runtimeMs }) => runtimeMs),
        { unit: 'ms' },
      ),
      ...arcFields(steps),
      text(
        'detail__state',
        'State',
        steps.map(({ state }) => state),
      ),
      text(
        'detail__queue',
        'Queue',
        steps.map(({ queue }) => queue ?? ''),
      ),
      number(
        'detail__wait',
        'Waited',
        steps.map(({ queueWaitMs }) => queueWaitMs),
        { unit: 'ms' },
      ),
      text(
        'detail__exception',
        'Exception',
        steps.map(({ exception }) => exception ?? ''),
      ),
      text(
        'traceId',
        'Trace ID',
        steps.map(({ traceId }) => traceId),
      ),
    ],
  });
  return [nodes, edgesFrame(refId, meta('workflow-edges'), steps, edges)];
}

function edgesFrame(refId: string, meta: QueryResultMeta, steps: readonly Step[], edges: readonly Edge[]): DataFrame {
  const byId = new Map(steps.map((step) => [step.taskId, step]));
  const isCritical = ({ from, to }: Edge) => byId.get(from)?.critical === true && byId.get(to)?.critical === true;
  const of = <T>(pick: (edge: Edge) => T) => edges.map(pick);
  return createDataFrame({
    refId,
    name: 'edges',
    meta,
    fields: [
      text(
        'id',
        'ID',
        of(({ from, to }) => `${from}→${to}`),
      ),
      text(
        'source',
        'From',
        of(({ from }) => from),
      ),
      text(
        'target',
        'To',
        of(({ to }) => to),
      ),
      number(
        'mainstat',
        'Waited',
        of(({ to }) => byId.get(to)?.queueWaitMs ?? null),
        { unit: 'ms' },
      ),
      number(
        'thickness',
        'Thickness',
        of((edge) => (isCritical(edge) ? 3 : 1)),
      ),
      text(
        'color',
        'Color',
        of((edge) => (isCritical(edge) ? 'orange' : '')),
      ),
    ],
  });
}

/** A ring in the colour of the state: one field per colour, 1 where it applies. */
function arcFields(steps: readonly Step[]) {
  const known = STATES.filter((state) => steps.some((step) => step.state === state));
  const hasCustom = steps.some(({ state }) => !(state in STATE_COLORS));
  const names = hasCustom ? [...known, 'OTHER'] : known;
  return names.map((name) =>
    number(
      `arc__${name.toLowerCase()}`,
      name,
      steps.map(({ state }) => (state === name || (name === 'OTHER' && !(state in STATE_COLORS)) ? 1 : 0)),
      { color: { mode: 'fixed', fixedColor: stateColor(name) } },
    ),
  );
}

const text = (name: string, displayName: string, values: Array<string | null>, config = {}) => ({
  ...{ name, type: FieldType.string, values },
  config: { displayName, ...config },
});
const number = (name: string, displayName: string, values: Array<number | null>, config = {}) => ({
  ...{ name, type: FieldType.number, values },
  config: { displayName, ...config },
});

interface Span {
  readonly spanID: string;
  readonly parentSpanID: string | undefined;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly step: Step;
}

/** One trace: a span per task from its publishing to its end, and within it one for the time it waited. */
export function traceFrame(info: WorkflowInfo, steps: readonly Step[]): DataFrame {
  const { refId, rootId } = info;
  const ids = new Set(steps.map(({ taskId }) => taskId));
  const spans = steps.flatMap((step) => spansOf(step, ids));
  const values = <T>(pick: (span: Span) => T) => spans.map(pick);
  const failed = ({ step }: Span) => step.state === 'FAILURE';
  return createDataFrame({
    refId,
    name: 'trace',
    meta: {
      custom: { celery: 'trace', rootId },
      preferredVisualisationType: 'trace',
      ...(info.truncated ? { notices: noticesOf(info, steps) } : {}),
    },
    fields: [
      { name: 'traceID', type: FieldType.string, values: values(({ step }) => step.traceId) },
      { name: 'spanID', type: FieldType.string, values: values(({ spanID }) => spanID) },
      { name: 'parentSpanID', type: FieldType.string, values: values(({ parentSpanID }) => parentSpanID) },
      { name: 'operationName', type: FieldType.string, values: values(({ operationName }) => operationName) },
      { name: 'serviceName', type: FieldType.string, values: values(({ step }) => step.worker ?? 'no worker') },
      { name: 'serviceTags', type: FieldType.other, values: values(({ step }) => tags({ queue: step.queue })) },
      { name: 'startTime', type: FieldType.number, values: values(({ startTime }) => startTime) },
      { name: 'duration', type: FieldType.number, values: values(({ duration }) => duration) },
      { name: 'tags', type: FieldType.other, values: values((span) => spanTags(span)) },
      { name: 'logs', type: FieldType.other, values: values(({ step }) => logsOf(step)) },
      { name: 'statusCode', type: FieldType.number, values: values((span) => (failed(span) ? 2 : 0)) },
      {
        name: 'statusMessage',
        type: FieldType.string,
        values: values((span) => (failed(span) ? (span.step.exception ?? undefined) : undefined)),
      },
    ],
  });
}

function spansOf(step: Step, ids: ReadonlySet<string>): Span[] {
  const start = beginOf(step);
  // A task that was retried names itself as its parent (celery/app/task.py); Grafana's trace view fails without a root.
  const parent = step.depth > 0 && step.parentId !== null && ids.has(step.parentId) ? step.parentId : undefined;
  const whole: Span = {
    ...{ spanID: step.taskId, parentSpanID: parent, operationName: step.name ?? 'unknown', step },
    ...{ startTime: start, duration: Math.max((endedMs(step) ?? step.timestampMs) - start, 0) },
  };
  const waited = step.queueWaitMs ?? 0;
  if (waited <= 0 || step.startedMs === null) {
    return [whole];
  }
  const wait: Span = {
    ...{ spanID: `${step.taskId}/wait`, parentSpanID: step.taskId, operationName: 'waiting', step },
    ...{ startTime: step.startedMs - waited, duration: waited },
  };
  return [whole, wait];
}

function spanTags({ step, spanID }: Span) {
  const { taskId, state, retries, args, kwargs, result, exception, critical } = step;
  const told = { 'celery.task_id': taskId, state, retries, args, kwargs, result, exception };
  return [
    ...tags(told),
    ...(critical ? [{ key: 'critical path', value: true }] : []),
    // Not of the time it waited, which did not fail.
    ...(state === 'FAILURE' && spanID === taskId ? [{ key: 'error', value: true }] : []),
  ];
}

function tags(members: Readonly<Record<string, unknown>>): Array<{ key: string; value: unknown }> {
  return Object.entries(members).flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
}

function logsOf({ receivedMs, startedMs, retriedMs, traceback }: Step) {
  const log = (timestamp: number | null, event: string, more: Array<{ key: string; value: unknown }> = []) =>
    timestamp === null ? [] : [{ timestamp, fields: [{ key: 'event', value: event }, ...more] }];
  return [
    ...log(receivedMs, 'received'),
    ...log(startedMs, 'started'),
    ...log(retriedMs, 'retried', traceback === null ? [] : [{ key: 'traceback', value: traceback }]),
  ];
}
