/** Whether a path, its prefix taken off, is one of Flower's API, `/metrics` or `/healthcheck`. */
export function isFlowerPath(path: string): boolean {
  return /^(\/flower)?\/(metrics$|healthcheck$|api\/(?!v1(\/|$)))/.test(path);
}
