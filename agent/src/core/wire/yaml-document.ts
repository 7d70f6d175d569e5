import { Composer, CST, type Document, Parser } from 'yaml';

/** What a YAML text may hold. */
export interface YamlLimits {
  /** Signs that begin a value, a member or a line: each may cost the reader a kilobyte. */
  readonly marks: number;
  /** Collections within each other. */
  readonly depth: number;
}

const MARKS = new Set(Buffer.from('[]{},:?-&*!#\n'));

/**
 * The document that `body` is. Its size and depth are looked at before it is composed: the composer calls itself, and on
 * a full stack V8 may end the process instead of throwing.
 * @throws Error on broken syntax, on several documents, and beyond a limit
 */
export function readYamlDocument(body: Buffer, limits: YamlLimits): Document.Parsed {
  let marks = 0;
  for (const byte of body) if (MARKS.has(byte)) marks++;
  if (marks > limits.marks) throw new RangeError(`more than ${limits.marks} signs of YAML`);
  const text = body.toString();
  const tokens = [...new Parser().parse(text)];
  if (isDeeper(tokens, limits.depth)) throw new RangeError(`nested deeper than ${limits.depth}`);
  // Python takes the last of equal keys; to look for them, the library compares each with all others.
  const composer = new Composer({ intAsBigInt: true, logLevel: 'error', prettyErrors: false, uniqueKeys: false });
  const [document, another] = composer.compose(tokens, true, text.length);
  const [error] = document?.errors ?? [];
  if (error !== undefined) throw error;
  if (document === undefined || another !== undefined) throw new SyntaxError('it is not one document of YAML');
  return document;
}

/** Goes level by level, without calling itself. */
function isDeeper(tokens: readonly CST.Token[], depth: number): boolean {
  let level = tokens.flatMap((token) => (token.type === 'document' ? (token.value ?? []) : []));
  for (let at = 0; level.length > 0; at++) {
    if (at > depth) return true;
    level = level.filter(CST.isCollection).flatMap(membersOf);
  }
  return false;
}

function membersOf({ items }: CST.BlockMap | CST.BlockSequence | CST.FlowCollection): CST.Token[] {
  const members: CST.Token[] = [];
  for (const { key, value } of items) {
    if (key !== undefined && key !== null) members.push(key);
    if (value !== undefined) members.push(value);
  }
  return members;
}
