import type { FastifyRequest } from 'fastify';

const MAX_PARAMETER = 200;

/** The route's pattern where there is one, without the prefix: a path may be written in many ways. */
export function pathOf(request: FastifyRequest, prefix: string): string {
  const path = request.routeOptions.url ?? request.url.split('?', 1)[0] ?? '';
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

/** The same with the worker, task, … of this request in the place of the pattern's parameters, decoded. */
export function askedPath(request: FastifyRequest, prefix: string): string {
  const parameters = new Map(Object.entries((request.params ?? {}) as Readonly<Record<string, unknown>>));
  return pathOf(request, prefix).replace(/:([A-Za-z]+)|\*$/g, (placeholder, name?: string) => {
    const value = parameters.get(name ?? '*');
    return typeof value === 'string' ? value.slice(0, MAX_PARAMETER) : placeholder;
  });
}
