import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/**
 * Whether npm has installed what the lock file says, whoever asked it to: npm writes what it installed into
 * `node_modules/.package-lock.json`, last of all. False where that cannot be read, or package.json asks for other
 * packages than the lock file.
 */
export function isInstalled(root) {
  try {
    const wanted = readPackages(root, 'package-lock.json');
    const found = readPackages(root, join('node_modules', '.package-lock.json'));
    return Object.entries(wanted).every(([path, entry]) =>
      path.includes('node_modules')
        ? isSame(entry, found[path]) || (found[path] === undefined && mayBeLeftOut(entry))
        : asksForTheSame(readJson(root, join(path, 'package.json')), entry),
    );
  } catch {
    return false;
  }
}

function readJson(root, path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function readPackages(root, path) {
  return readJson(root, path).packages;
}

function isSame(wanted, found) {
  return found !== undefined && wanted.version === found.version && wanted.integrity === found.integrity;
}

/** Packages of other platforms. Of those that name a C library one of several is installed. */
function mayBeLeftOut({ optional, os, cpu, libc }) {
  if (optional !== true) return false;
  const isForHere = os?.includes(process.platform) && (cpu === undefined || cpu.includes(process.arch));
  return !isForHere || libc !== undefined;
}

function asksForTheSame(manifest, locked) {
  return SECTIONS.every((section) => {
    const [asked, held] = [manifest[section] ?? {}, locked[section] ?? {}];
    const names = Object.keys(asked);
    return names.length === Object.keys(held).length && names.every((name) => asked[name] === held[name]);
  });
}
