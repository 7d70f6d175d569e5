/** An answer in Flower's way: the status and a text (flower/api/__init__.py `write_error`). */
export class FlowerError extends Error {
  readonly status: number;
  /** Flower answers a faulty search with JSON, and labels what a worker refused (`web.py` `write`) as HTML. */
  readonly kind: 'text' | 'json' | 'html';

  constructor(status: number, message: string, kind: FlowerError['kind'] = 'text') {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}
