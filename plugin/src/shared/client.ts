import { getBackendSrv, isFetchError } from '@grafana/runtime';
import { catchError, EMPTY, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import type {
  ApiErrorBody,
  Audit,
  Bulk,
  CommandOutcome,
  Commands,
  Events,
  Failures,
  Gaps,
  Me,
  Queues,
  Retried,
  RetryPlan,
  Series,
  States,
  Status,
  Target,
  TaskDetail,
  TaskFilter,
  TaskPage,
  TaskResult,
  Timeline,
  Worker,
  WorkerEvents,
  Workers,
  Workflow,
} from './api';

/** Of a query string; a list becomes a repeated parameter, undefined is left out. */
export type Params = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What the agent, or Grafana's proxy in front of it, answered instead of data: a sentence that says what to do. */
export class AgentError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field?: string,
  ) {
    super(message);
    this.name = 'AgentError';
  }
}

/**
 * The agent's `/api/v1` through Grafana's data source proxy; the one file that touches Grafana's fetch. Unsubscribing
 * aborts the request, and so does a later request with the same `requestId`.
 */
export class AgentClient {
  /** @param url of the data source as Grafana gives it: the proxy's path */
  constructor(private readonly url: string) {}

  readonly status = (requestId?: string): Observable<Status> => this.get('status', {}, requestId);
  readonly me = (requestId?: string): Observable<Me> => this.get('me', {}, requestId);
  readonly tasks = (params: Params, requestId?: string): Observable<TaskPage> => this.get('tasks', params, requestId);
  readonly task = (taskId: string, requestId?: string): Observable<TaskDetail> =>
    this.get(`tasks/${segment(taskId)}`, {}, requestId);
  readonly timeline = (taskId: string, requestId?: string): Observable<Timeline> =>
    this.get(`tasks/${segment(taskId)}/timeline`, {}, requestId);
  readonly result = (taskId: string): Observable<TaskResult> => this.get(`tasks/${segment(taskId)}/result`);
  readonly workflow = (rootId: string, params: Params = {}, requestId?: string): Observable<Workflow> =>
    this.get(`workflows/${segment(rootId)}`, params, requestId);
  readonly series = (params: Params, requestId?: string): Observable<Series> => this.get('series', params, requestId);
  readonly failures = (params: Params, requestId?: string): Observable<Failures> =>
    this.get('failures', params, requestId);
  readonly workers = (params: Params = {}, requestId?: string): Observable<Workers> =>
    this.get('workers', params, requestId);
  readonly worker = (hostname: string, requestId?: string): Observable<Worker> =>
    this.get(`workers/${segment(hostname)}`, {}, requestId);
  readonly workerEvents = (hostname: string, params: Params = {}, requestId?: string): Observable<WorkerEvents> =>
    this.get(`workers/${segment(hostname)}/events`, params, requestId);
  readonly events = (params: Params, requestId?: string): Observable<Events> => this.get('events', params, requestId);
  readonly queues = (params: Params = {}, requestId?: string): Observable<Queues> =>
    this.get('queues', params, requestId);
  readonly names = (params: Params = {}): Observable<{ names: string[] }> => this.get('names', params);
  readonly states = (): Observable<States> => this.get('states');
  readonly gaps = (params: Params = {}, requestId?: string): Observable<Gaps> => this.get('gaps', params, requestId);
  readonly audit = (params: Params = {}, requestId?: string): Observable<Audit> => this.get('audit', params, requestId);
  readonly commands = (): Observable<Commands> => this.get('commands');

  /** What workers answer when asked. @param hostname undefined: every worker */
  readonly inspect = (
    command: string,
    hostname?: string,
    params: Params = {},
    requestId?: string,
  ): Observable<CommandOutcome> => {
    const whom = hostname === undefined ? '' : `${segment(hostname)}/`;
    return this.get(`workers/${whom}inspect/${segment(command)}`, params, requestId);
  };

  /** Orders to workers; see `commands()` for their arguments. With `dryRun` only says whom it would reach. */
  readonly command = (
    command: string,
    target: Target,
    args: Readonly<Record<string, unknown>> = {},
    options: { readonly dryRun?: boolean; readonly timeoutMs?: number } = {},
  ): Observable<CommandOutcome> =>
    this.send('POST', `workers/actions/${segment(command)}`, { target, arguments: args, ...options });

  readonly revoke = (taskId: string): Observable<CommandOutcome> =>
    this.send('POST', `tasks/${segment(taskId)}/revoke`);
  readonly terminate = (taskId: string, signal: string): Observable<CommandOutcome> =>
    this.send('POST', `tasks/${segment(taskId)}/terminate`, { signal });
  readonly abort = (taskId: string): Observable<unknown> => this.send('POST', `tasks/${segment(taskId)}/abort`);
  /** Needs an editor: below its own path, since Grafana grants roles by the start of a path. */
  readonly retryPlan = (taskId: string): Observable<RetryPlan> => this.get(`plans/retry/${segment(taskId)}`);
  /** @param body JSON text, so that numbers keep their digits; `{}` for the task's own arguments */
  readonly retry = (taskId: string, body = '{}'): Observable<Retried> =>
    this.send('POST', `tasks/${segment(taskId)}/retry`, body);

  readonly startBulk = (order: {
    readonly action: 'revoke' | 'retry';
    readonly filter: TaskFilter;
    readonly limit?: number;
    readonly dryRun: boolean;
    readonly terminate?: boolean;
    readonly signal?: string;
  }): Observable<Bulk> => this.send('POST', 'tasks/bulk', order);
  readonly bulk = (id: string): Observable<Bulk> => this.get(`bulk/${segment(id)}`);
  readonly cancelBulk = (id: string): Observable<Bulk> => this.send('DELETE', `bulk/${segment(id)}`);

  /**
   * The live stream's bytes as they come; completes when the agent ends it.
   *
   * @throws AgentError through the observable where it is refused
   */
  readonly stream = (): Observable<Uint8Array> =>
    getBackendSrv()
      .chunked({ url: this.address('stream'), method: 'GET', requestId: `${this.url}/stream` })
      .pipe(
        mergeMap(({ ok, status, statusText, data }) => {
          if (!ok) {
            return throwError(() => new AgentError(proxySentence(status, statusText), status, 'stream'));
          }
          return data === undefined ? EMPTY : of(data);
        }),
      );

  /** Address of a download or a stream, without a leading slash, so that Grafana below a sub-path works. */
  readonly address = (path: string, params: Params = {}): string =>
    `${this.url}/api/v1/${path}${queryString(params)}`.replace(/^\//, '');

  private get<T>(path: string, params: Params = {}, requestId?: string): Observable<T> {
    return this.fetch<T>({ url: `${path}${queryString(params)}`, method: 'GET', requestId });
  }

  private send<T>(method: 'POST' | 'DELETE', path: string, body?: object | string): Observable<T> {
    const headers = body === undefined ? undefined : { 'Content-Type': 'application/json' };
    return this.fetch<T>({ url: path, method, data: body, headers });
  }

  private fetch<T>(request: {
    url: string;
    method: string;
    data?: object | string;
    headers?: Record<string, string>;
    requestId?: string;
  }): Observable<T> {
    return getBackendSrv()
      .fetch<T>({
        ...request,
        url: `${this.url}/api/v1/${request.url}`,
        showErrorAlert: false,
        showSuccessAlert: false,
      })
      .pipe(
        map(({ data }) => data),
        catchError((error: unknown) => throwError(() => toAgentError(error))),
      );
  }
}

const segment = (text: string) => encodeURIComponent(text);

function queryString(params: Params): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== '') {
        search.append(name, String(one));
      }
    }
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** A request that was dropped stays what it is: Grafana knows it by its `cancelled`. */
function toAgentError(error: unknown): unknown {
  if (!isFetchError(error) || error.cancelled) {
    return error;
  }
  const { status, statusText } = error;
  const said = (error.data as Partial<ApiErrorBody> | undefined)?.error;
  if (typeof said === 'object' && said !== null) {
    return new AgentError(withAdvice(said), status, said.code, said.field);
  }
  return new AgentError(proxySentence(status, messageOf(error.data) ?? statusText ?? ''), status, 'proxy');
}

/** A wrong token is soon locked out: then only this answer comes, and must say what to do. */
function withAdvice({ code, message }: ApiErrorBody['error']): string {
  return code === 'too-many-attempts'
    ? `${message} Is the token of the data source one of the agent’s --tokens?`
    : message;
}

function messageOf(data: unknown): string | undefined {
  const message = (data as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : undefined;
}

/** Grafana's own answers, when the agent did not give one. The proxy turns the agent's 401 into a 400. */
function proxySentence(status: number, text: string): string {
  if (status === 400 && text.includes('Authentication to data source failed')) {
    return 'The agent refused the token. Set the token of the data source to one of the agent’s --tokens.';
  }
  if (status === 403) {
    return 'Grafana does not let your role do this. An editor may act on tasks, an admin on workers.';
  }
  if (status === 502 || status === 504 || status === 0) {
    return 'The agent cannot be reached. Is it running, and is the URL of the data source right as seen from Grafana?';
  }
  return `Grafana answered ${status}${text === '' ? '' : `: ${text}`}.`;
}
