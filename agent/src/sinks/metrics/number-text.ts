/**
 * A bucket's upper bound as Python's client prints it (prometheus_client/utils.py `floatToGoString`): `1.0`, `10.0`,
 * `1e+06`, `+Inf`. Rules such as `…_bucket{le="1.0"}` find nothing under JavaScript's `1`.
 */
export function pythonBound(bound: number): string {
  if (bound === Infinity) return '+Inf';
  const text = pythonRepr(bound);
  const dot = text.indexOf('.');
  if (bound <= 0 || dot <= 6) return text;
  const mantissa = `${text.slice(0, 1)}.${text.slice(1, dot)}${text.slice(dot + 1)}`.replace(/[0.]+$/, '');
  return `${mantissa}e+${String(dot - 1).padStart(2, '0')}`;
}

/** `repr(float)`: shortest digits as in JavaScript, but exponents from 1e16 on and below 1e-4, and `.0` on whole numbers. */
function pythonRepr(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** A sample's value in the text formats. */
export function sampleValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
