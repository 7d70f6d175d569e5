import type { DataFrame } from '@grafana/data';

/**
 * The rows of a frame as objects, by field name. The frames of the data source name their fields as the agent's answers
 * name their members (`taskId`, `runtimeMs`, …; instants are time fields in ms), so a panel reads them back as such.
 *
 * @param frame a table of the data source, maybe after transformations: members may be missing
 * @param names of the members that are needed; default all
 */
export function readRows<Row extends object>(
  frame: DataFrame | undefined,
  names?: ReadonlyArray<keyof Row & string>,
): Array<Partial<Row>> {
  if (frame === undefined) {
    return [];
  }
  const needed = names === undefined ? undefined : new Set<string>(names);
  const columns = frame.fields.flatMap(({ name, values }) => (needed?.has(name) === false ? [] : [{ name, values }]));
  return Array.from({ length: frame.length }, (_, index) => {
    const row: Record<string, unknown> = {};
    for (const { name, values } of columns) {
      row[name] = values[index];
    }
    return row as Partial<Row>;
  });
}

/** The first frame of a kind (`frame.meta.custom.celery`): tasks, workers, queues, … */
export function frameOf(series: readonly DataFrame[], kind: string): DataFrame | undefined {
  return series.find((frame) => frame.meta?.custom?.['celery'] === kind);
}
