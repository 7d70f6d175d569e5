/** What the plugin asks of Grafana's frontend, over `fetch`: as much of `BackendSrv` as it uses. */
import type { BackendSrv, BackendSrvRequest, FetchResponse } from '@grafana/runtime';
import { Observable, lastValueFrom } from 'rxjs';

const inFlight = new Map<string, AbortController>();

/** A later request with the same id drops the one before, as in Grafana. */
function begin(requestId: string | undefined): AbortController {
  const controller = new AbortController();
  if (requestId !== undefined) {
    inFlight.get(requestId)?.abort();
    inFlight.set(requestId, controller);
  }
  return controller;
}

function absolute(url: string): string {
  return url.startsWith('http') ? url : `/${url.replace(/^\//, '')}`;
}

async function answerOf<T>(options: BackendSrvRequest, signal: AbortSignal): Promise<FetchResponse<T>> {
  const { url, method = 'GET', data, headers = {}, params } = options;
  const query = params === undefined ? '' : `?${new URLSearchParams(params).toString()}`;
  const body = data === undefined ? undefined : typeof data === 'string' ? data : JSON.stringify(data);
  const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const response = await fetch(absolute(url) + query, { method, body, headers: { ...type, ...headers }, signal });
  const text = await response.text();
  const { status, statusText, ok } = response;
  const answer = { status, statusText, ok, data: parsed(text), headers: response.headers, config: options };
  if (!ok) {
    throw { ...answer, data: typeof answer.data === 'string' ? { message: answer.data } : answer.data };
  }
  return { ...answer, url, redirected: false, type: 'basic' } as unknown as FetchResponse<T>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function fetchOnce<T>(options: BackendSrvRequest): Observable<FetchResponse<T>> {
  return new Observable((observer) => {
    const controller = begin(options.requestId);
    answerOf<T>(options, controller.signal).then(
      (answer) => {
        observer.next(answer);
        observer.complete();
      },
      (error: unknown) => {
        const dropped = controller.signal.aborted;
        observer.error(
          dropped ? { cancelled: true, status: -1, data: null, statusText: 'aborted', config: options } : error,
        );
      },
    );
    return () => controller.abort();
  });
}

/** The body as it comes, then one `undefined`; errors of HTTP are answers. */
function chunked(options: BackendSrvRequest): Observable<FetchResponse<Uint8Array | undefined>> {
  return new Observable((observer) => {
    const controller = new AbortController();
    const read = async () => {
      const response = await fetch(absolute(options.url), { headers: options.headers, signal: controller.signal });
      const { ok, status, statusText, headers } = response;
      const emit = (data: Uint8Array | undefined) =>
        observer.next({ ok, status, statusText, headers, data, config: options, url: options.url } as never);
      const reader = response.body?.getReader();
      for (;;) {
        const chunk = await reader?.read();
        if (chunk === undefined || chunk.done) {
          break;
        }
        emit(chunk.value);
      }
      emit(undefined);
      observer.complete();
    };
    read().catch((error: unknown) => controller.signal.aborted || observer.error(error));
    return () => controller.abort();
  });
}

const send =
  (method: string) =>
  <T>(url: string, data?: unknown) =>
    lastValueFrom(fetchOnce<T>({ url, method, data })).then((answer) => answer.data);

export const backendSrv = {
  fetch: fetchOnce,
  chunked,
  get: (url: string, params?: Record<string, string>) =>
    lastValueFrom(fetchOnce({ url, params })).then((answer) => answer.data),
  post: send('POST'),
  put: send('PUT'),
  patch: send('PATCH'),
  delete: send('DELETE'),
} as unknown as BackendSrv;
