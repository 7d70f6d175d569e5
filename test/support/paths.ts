import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, whether this file runs in jest or compiled into the bench's cache. */
export const ROOT = process.env['UMBEL_ROOT'] ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..');
