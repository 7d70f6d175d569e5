import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../support/paths.ts';

/** Of which Grafana the packages are: 12.4 has React 18, 13 has React 19. */
export type React = 18 | 19;

const PAGE = join(ROOT, 'test/plugin-host/page');
/** Grafana 13's packages, with a lock file of their own beside the repository's. */
const REACT_19 = join(ROOT, 'test/plugin-host/react19');

/** The page's JavaScript. The bundle of the plugin is not in it: the page loads that as Grafana does. */
export async function buildPage(react: React = 18): Promise<string> {
  if (react === 19 && !existsSync(join(REACT_19, 'node_modules'))) {
    throw new Error('the packages of Grafana 13 are missing: npm ci --prefix test/plugin-host/react19');
  }
  const result = await build({
    entryPoints: [join(PAGE, 'main.tsx')],
    plugins: react === 19 ? [resolveFrom(REACT_19)] : [],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    logLevel: 'error',
    // Packages that look for AMD would register with SystemJS instead of exporting.
    define: { define: 'undefined', global: 'window', 'process.env.NODE_ENV': '"production"' },
    loader: {
      '.svg': 'dataurl',
      '.png': 'dataurl',
      '.woff': 'empty',
      '.woff2': 'empty',
      '.ttf': 'empty',
      '.css': 'empty',
    },
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild made no page');
  return file.text;
}

/** What the page asks for by name comes from the folder's packages, which find their own beside themselves. */
function resolveFrom(resolveDir: string): Plugin {
  return {
    name: 'packages',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind, pluginData }) =>
        importer.startsWith(PAGE) && pluginData !== resolveDir
          ? build.resolve(path, { resolveDir, kind, pluginData: resolveDir })
          : undefined,
      );
    },
  };
}
