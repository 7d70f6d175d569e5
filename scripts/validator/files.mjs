/** A built plugin as a list of files, whether it lies in a directory or comes out of a zip. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Kinds of pictures by their first bytes. */
const MAGIC = { png: [0x89, 0x50, 0x4e, 0x47], jpg: [0xff, 0xd8, 0xff], gif: [0x47, 0x49, 0x46, 0x38] };

export class Build {
  /** @param {string} directory of the built plugin, or of its sources */
  constructor(directory) {
    this.directory = directory;
    this.paths = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
      .sort();
  }

  has(path) {
    return existsSync(join(this.directory, path));
  }

  text(path) {
    return readFileSync(join(this.directory, path), 'utf8');
  }

  bytes(path) {
    return readFileSync(join(this.directory, path));
  }

  /** @returns {{ folder: string, json: Record<string, any> }[]} the app first */
  plugins() {
    return this.paths
      .filter((path) => path === 'plugin.json' || path.endsWith('/plugin.json'))
      .map((path) => ({ folder: dirname(path), json: JSON.parse(this.text(path)) }))
      .sort((a, b) => a.folder.length - b.folder.length);
  }

  /** Whether the content of a picture is what its name says. */
  isPicture(path) {
    if (path.endsWith('.svg')) return /<svg[\s>]/.test(this.text(path));
    const magic = MAGIC[path.split('.').pop()?.replace('jpeg', 'jpg') ?? ''];
    return magic !== undefined && magic.every((byte, index) => this.bytes(path)[index] === byte);
  }
}
