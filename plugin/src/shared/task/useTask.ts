import { useCallback, useEffect, useState } from 'react';
import { forkJoin, Subject, startWith, switchMap, catchError, of, map, timer, merge } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskDetail } from '../api';
import { isFinished } from '../ui/stateLook';
import type { TaskEvent } from './timeline';

/** How often a task that is under way is looked at. */
const LOOK_MS = 2000;
/** After an action: at once, and once the worker has told of it. */
const AFTER_ACTION_MS = [300, 1500];

export interface LoadedTask {
  readonly task?: TaskDetail;
  readonly events: readonly TaskEvent[];
  /** When it was read: the end of what still goes on */
  readonly atMs: number;
  readonly error?: unknown;
}

const NOTHING: LoadedTask = { events: [], atMs: 0 };

/** A task with its events, read again while it is under way, and after an action. */
export function useTask(source: CeleryDataSource, taskId: string): LoadedTask & { readonly again: () => void } {
  const [loaded, setLoaded] = useState<LoadedTask & { readonly id?: string }>(NOTHING);
  const [asks] = useState(() => new Subject<void>());
  useEffect(() => {
    const ask = () =>
      forkJoin({
        task: source.client.task(taskId),
        timeline: source.client.timeline(taskId).pipe(catchError(() => of({ taskId, events: [] }))),
      }).pipe(
        map(({ task, timeline }): LoadedTask => ({ task, events: timeline.events, atMs: Date.now() })),
        catchError((error: unknown) => of<LoadedTask>({ events: [], atMs: Date.now(), error })),
      );
    let finished = false;
    const looks = timer(LOOK_MS, LOOK_MS).pipe(switchMap(() => (finished ? [] : [undefined])));
    const afterActions = asks.pipe(switchMap(() => merge(...AFTER_ACTION_MS.map((ms) => timer(ms)))));
    const subscription = merge(looks, afterActions)
      .pipe(startWith(undefined), switchMap(ask))
      .subscribe((answer) => {
        finished = answer.task !== undefined && isFinished(answer.task.state);
        // A look that failed does not take away what is there.
        setLoaded((before) =>
          answer.error !== undefined && before.id === taskId && before.task !== undefined
            ? { ...before, error: answer.error }
            : { ...answer, id: taskId },
        );
      });
    return () => subscription.unsubscribe();
  }, [source, taskId, asks]);
  const again = useCallback(() => asks.next(), [asks]);
  return { ...(loaded.id === taskId ? loaded : NOTHING), again };
}
