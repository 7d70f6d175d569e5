import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'corpus');

/** Kept inputs of a target: one a line, as the JSON text of its bytes in Latin-1. */
export function readCorpus(target: string): Buffer[] {
  const file = join(FOLDER, `${target}.txt`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => Buffer.from(JSON.parse(line) as string, 'latin1'));
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  const lines = inputs.map((bytes) => JSON.stringify(bytes.toString('latin1')).replace(/[\x7f-\xff]/g, escaped));
  writeFileSync(join(FOLDER, `${target}.txt`), `${lines.join('\n')}\n`);
}

function escaped(char: string): string {
  return `\\u00${char.charCodeAt(0).toString(16)}`;
}
