import type { AdHocVariableFilter, DataFrame } from '@grafana/data';
import type { Observable } from 'rxjs';
import type { LinkTargets } from '../../shared/links';
import type { AgentClient } from '../../shared/client';
import type { LiveStream } from '../live/stream';
import type { QueryKind, QueryOf } from '../query';

/** What a query is asked with, beside itself. */
export interface QueryContext {
  readonly client: AgentClient;
  readonly live: LiveStream;
  /** The answer may be followed by others: nobody waits for the end */
  readonly lasting: boolean;
  readonly refId: string;
  /** The same for every run of one target: a new request to the agent with it drops the one before */
  readonly requestId: string;
  readonly links: LinkTargets;
  readonly fromMs: number;
  readonly toMs: number;
  /** The range ends now: what workers with fast clocks report as later belongs to it too */
  readonly open: boolean;
  readonly nowMs: number;
  readonly intervalMs: number;
  readonly maxDataPoints: number;
  readonly adHocFilters: readonly AdHocVariableFilter[];
}

/** Frames of one target. The first answer may be a part: another follows while `partial`. */
export interface Answer {
  readonly frames: DataFrame[];
  readonly partial?: boolean;
  /** More answers follow as things happen */
  readonly streaming?: boolean;
}

/** One kind of query: how it is asked, and how it reads in a list of queries. */
export interface Kind<K extends QueryKind> {
  /** The query has all it needs; what has not is not asked. Called with template variables and without. */
  readonly isComplete?: (query: QueryOf<K>) => boolean;
  /** A few words that tell it from others of its kind. */
  readonly text: (query: QueryOf<K>) => string;
  /** @param query without template variables */
  readonly run: (query: QueryOf<K>, context: QueryContext) => Observable<Answer>;
}

/** Filters that exclude each other: the answer is empty, and the agent need not be asked. */
export class NothingMatches extends Error {}
