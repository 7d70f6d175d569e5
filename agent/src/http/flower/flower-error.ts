/** An answer in Flower's way: the status and a plain text (flower/api/__init__.py `write_error`). */
export class FlowerError extends Error {
  readonly status: number;
  /** Flower answers a faulty search, and nothing else, with JSON. */
  readonly json: boolean;

  constructor(status: number, message: string, options: { readonly json?: boolean } = {}) {
    super(message);
    this.status = status;
    this.json = options.json ?? false;
  }
}
