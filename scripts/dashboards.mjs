/** `plugin/dashboards` as JSON: what `npm run gen` writes to `dashboards/`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * @param {string} root of the repository
 * @param {string} target a directory for the compiled generator
 * @returns {Promise<[page: string, path: string, text: string][]>}
 */
export async function dashboards(root, target) {
  const outfile = join(target, 'dashboards.cjs');
  const entryPoints = [join(root, 'plugin/dashboards/index.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
  const { DASHBOARDS } = createRequire(import.meta.url)(outfile);
  return Object.entries(DASHBOARDS).map(([name, dashboard]) => {
    const page = `dashboards/${name}.json`;
    return [page, join(root, page), `${JSON.stringify(dashboard, null, 2)}\n`];
  });
}
