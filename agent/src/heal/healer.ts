import { isInGap, QUIET_MS, type LookContext, type SeenWorker } from '../core/heal/due.ts';
import type { Finding } from '../core/heal/finding.ts';
import {
  STUCK_STATES,
  type HealStore,
  type Place,
  type Settled,
  type StoredOpenTask,
  type UnhealedGap,
} from '../core/heal/store.ts';
import { Tallies } from '../core/heal/tally.ts';
import type { TaskRecord } from '../core/query/records.ts';
import { PENDING } from '../core/state/states.ts';
import { BackendUnavailable, type ResultBackend } from '../results/port.ts';
import { HeldSearch, type HeldDeps } from './find-held.ts';
import { UnheardSearch } from './find-unheard.ts';
import { findingOf, lookAt, type Look } from './look.ts';

/** Tasks that are looked at together. */
const PAGE = 500;
/** How soon after a start or a gap healing begins: workers that were cut off, too, have then said what they had to, ms. */
const SETTLE_MS = 2000;
/** What seems to be lost is looked for again after this time, ms. */
const SECOND_LOOK_MS = 5000;

export interface HealerOptions {
  /** Pause between two runs, ms. */
  readonly everyMs: number;
  /** How long a worker must be silent until its tasks are given up, ms. */
  readonly orphanAfterMs: number;
  /** The most open tasks that one run looks at; the next one goes on. As many are found after a gap by asking who has them. */
  readonly tasksPerRun: number;
  /** The most stored results that one run looks through for tasks of which nothing was heard; the next one goes on. 0: none. */
  readonly resultsPerRun: number;
}

export interface HealerDeps extends HeldDeps {
  readonly store: HealStore;
  readonly backend: ResultBackend | undefined;
  readonly worker: (hostname: string) => SeenWorker | undefined;
  /**
   * Since when the agent hears what workers say, epoch ms; undefined: it is not this agent's turn, it hears nothing, or
   * what it heard is not stored yet.
   */
  readonly listeningSince: () => number | undefined;
  onSettled(settled: Settled): void;
  onRun(outcome: { readonly failed: boolean; readonly orphans: number | undefined }): void;
}

/** One walk through all open tasks; several runs, where there are many. */
interface Pass {
  readonly gaps: readonly UnhealedGap[];
  readonly tallies: Tallies;
  readonly missing: Set<string>;
  /** To walk through, one after the other. */
  readonly states: readonly string[];
  stateIndex: number;
  after: Place | undefined;
  /** Once workers and queues were asked for tasks that were never heard of. */
  held: HeldSearch | undefined;
  /** Once the open tasks are through. */
  search: UnheardSearch | undefined;
  /** Somebody could not be asked. */
  isIncomplete: boolean;
  isMissingInGap: boolean;
}

/** Finds out what has become of open tasks of which no event tells any more. */
export class Healer {
  readonly #options: HealerOptions;
  readonly #deps: HealerDeps;
  #pass: Pass | undefined;
  /** Of gaps that could not be settled yet. */
  #tallies: Tallies | undefined;
  /** Gaps after which workers and queues were asked for tasks that were never heard of. */
  #askedAfter: ReadonlySet<number> = new Set();
  /** A gap ended while a run was under way. */
  #isHurried = false;
  #missed: ReadonlySet<string> = new Set();
  /** When a worker last said that it has the task, epoch ms. */
  readonly #confirmed = new Map<string, number>();
  #cancel: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: HealerOptions, deps: HealerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    this.#plan(SETTLE_MS);
  }

  /** Something may have been missed just now. */
  gapEnded(): void {
    this.#beginAnew();
    if (this.#running === undefined) this.#plan(SETTLE_MS);
    else this.#isHurried = true;
  }

  /** An orphaned task was sent again. Never rejects. */
  async replaced({ taskId, state, timestamp }: TaskRecord, newTaskId: string): Promise<void> {
    const basis = { state, timestamp, mark: 'orphaned' as const };
    const finding: Finding = {
      taskId,
      basis,
      verdict: { kind: 'replaced', newTaskId },
      foundAt: this.#deps.clock.now() / 1000,
    };
    try {
      for (const settled of await this.#deps.store.settle([finding])) this.#deps.onSettled(settled);
    } catch (error) {
      this.#deps.logger.warn({ err: error, task: taskId }, 'an orphaned task was sent again, but keeps its mark');
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#running;
  }

  #plan(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancel();
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#running = this.#run().then((nextMs) => {
        this.#running = undefined;
        this.#plan(this.#isHurried ? SETTLE_MS : nextMs);
        this.#isHurried = false;
      });
    });
  }

  /** Never rejects; resolves with the pause until the next run. */
  async #run(): Promise<number> {
    const { everyMs } = this.#options;
    const { store, logger, clock } = this.#deps;
    const sinceMs = this.#deps.listeningSince();
    if (sinceMs === undefined) return Math.min(everyMs, SECOND_LOOK_MS);
    try {
      const pass = (this.#pass ??= newPass(
        await store.takeGaps(clock.now()),
        [...STUCK_STATES, ...(await store.customStates()), PENDING],
        this.#tallies,
      ));
      const isAsked = await this.#findHeld(pass);
      const isOver = (await this.#goOn(pass, sinceMs)) && isAsked && (await this.#finish(pass));
      if (isOver) {
        this.#missed = pass.missing;
        this.#pass = undefined;
      }
      this.#deps.onRun({ failed: false, orphans: await store.countOrphaned() });
      if (!isAsked) return Math.min(everyMs, SETTLE_MS);
      const isSoon = this.#missed.size > 0 || (!isOver && pass.search !== undefined);
      return isSoon ? Math.min(everyMs, SECOND_LOOK_MS) : everyMs;
    } catch (error) {
      this.#beginAnew();
      this.#deps.onRun({ failed: true, orphans: undefined });
      logger.warn({ err: error }, 'open tasks could not be looked at; it is tried again');
      return everyMs;
    }
  }

  /** What was put right so far stays counted. */
  #beginAnew(): void {
    this.#tallies = this.#pass?.tallies ?? this.#tallies;
    this.#pass = undefined;
  }

  /** Once for each gap; resolves to false where what was found must be looked at once more. */
  async #findHeld(pass: Pass): Promise<boolean> {
    const ids = pass.gaps.map(({ id }) => id);
    if (ids.every((id) => this.#askedAfter.has(id))) return true;
    if (pass.held === undefined) {
      pass.held = await HeldSearch.begin(this.#options.tasksPerRun, this.#deps);
      if (!pass.held.isEmpty) return false;
    }
    for await (const findings of pass.held.findings()) {
      if (this.#isClosed) return true;
      await this.#settleFound(findings, pass);
    }
    this.#askedAfter = new Set(ids);
    return true;
  }

  /** Resolves to true when the open tasks are through. */
  async #goOn(pass: Pass, listeningSinceMs: number): Promise<boolean> {
    for (let left = this.#options.tasksPerRun; left > 0;) {
      const state = pass.states[pass.stateIndex];
      // A task that waits in its queue is no reason to ask, unless its way to a worker may have been missed.
      if (state === undefined || (state === PENDING && pass.gaps.length === 0)) return true;
      if (this.#isClosed) return false;
      const most = Math.min(PAGE, left);
      const tasks = await this.#deps.store.openTasks(state, most, pass.after);
      await this.#lookAt(tasks, pass, listeningSinceMs);
      left -= Math.max(tasks.length, 1);
      if (tasks.length < most) pass.stateIndex += 1;
      pass.after = tasks.length < most ? undefined : tasks.at(-1);
    }
    return false;
  }

  async #lookAt(tasks: readonly StoredOpenTask[], pass: Pass, listeningSinceMs: number): Promise<void> {
    const { store, clock } = this.#deps;
    const context = this.#context(pass, listeningSinceMs);
    const { looks, isIncomplete } = await lookAt(tasks, { ...this.#deps, context, missed: this.#missed });
    if (isIncomplete) pass.isIncomplete = true;
    const findings = looks.flatMap((look) => findingOf(look, clock.now()) ?? []);
    for (const settled of await store.settle(findings)) this.#deps.onSettled(settled);
    for (const look of looks) this.#note(look, pass, context);
  }

  #note({ task, judgement }: Look, pass: Pass, context: LookContext): void {
    if (judgement.kind === 'leave' && judgement.why === 'missing') pass.missing.add(task.taskId);
    if (judgement.kind === 'leave' && judgement.why === 'running') this.#confirmed.set(task.taskId, context.nowMs);
    if (!isInGap(task, context)) return;
    pass.tallies.count(judgement);
    if (judgement.kind === 'leave' && judgement.why === 'missing') pass.isMissingInGap = true;
  }

  #context(pass: Pass, listeningSinceMs: number): LookContext {
    const gapEndMs = pass.gaps.length === 0 ? undefined : Math.max(...pass.gaps.map(({ toMs }) => toMs));
    return {
      nowMs: this.#deps.clock.now(),
      listeningSinceMs,
      gapEndMs,
      orphanAfterMs: this.#options.orphanAfterMs,
      worker: this.#deps.worker,
      confirmedMs: (taskId) => this.#confirmed.get(taskId),
    };
  }

  /** Resolves to true when the pass is through. */
  async #finish(pass: Pass): Promise<boolean> {
    const { store, clock } = this.#deps;
    const oldestMs = clock.now() - QUIET_MS;
    for (const [id, atMs] of this.#confirmed) if (atMs < oldestMs) this.#confirmed.delete(id);
    if (pass.gaps.length === 0) return true;
    const isFound = await this.#findUnheard(pass);
    if (isFound && pass.search?.isOver === false) return false;
    // What could not be asked for, or seems to be lost, is looked for again in a pass of its own.
    const isSettled = isFound && !pass.isIncomplete && !pass.isMissingInGap;
    this.#tallies = isSettled ? undefined : pass.tallies;
    if (!isSettled) return true;
    for (const [id, tally] of pass.tallies.entries()) await store.closeGap(id, { ...tally, atMs: clock.now() });
    return true;
  }

  /** Goes on with the search; resolves to false where the backend could not be asked. */
  async #findUnheard(pass: Pass): Promise<boolean> {
    const { resultsPerRun } = this.#options;
    if (resultsPerRun === 0) return true;
    try {
      pass.search ??= new UnheardSearch(pass.gaps, this.#deps);
      for await (const findings of pass.search.goOn(resultsPerRun)) {
        if (this.#isClosed) return true;
        await this.#settleFound(findings, pass);
      }
      return true;
    } catch (error) {
      if (!(error instanceof BackendUnavailable)) throw error;
      const { logger } = this.#deps;
      logger.warn({ reason: error.message }, 'results cannot be looked through for tasks that were never heard of');
      return false;
    }
  }

  async #settleFound(findings: readonly Finding[], { tallies }: Pass): Promise<void> {
    for (const settled of await this.#deps.store.settle(findings)) {
      const { verdict, basis } = settled.finding;
      if (verdict.kind === 'healed') tallies.count(verdict, { isNew: basis === undefined });
      this.#deps.onSettled(settled);
    }
  }
}

function newPass(gaps: readonly UnhealedGap[], states: readonly string[], before: Tallies | undefined): Pass {
  const tallies = new Tallies(gaps, before);
  const place = { stateIndex: 0, after: undefined, held: undefined, search: undefined };
  return { gaps, tallies, states, missing: new Set(), ...place, isIncomplete: false, isMissingInGap: false };
}
