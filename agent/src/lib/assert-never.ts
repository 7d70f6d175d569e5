/** The end of an exhaustive switch: fails to compile while a case is missing, throws if one slips through. */
export function assertNever(what: string, value: never): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}
