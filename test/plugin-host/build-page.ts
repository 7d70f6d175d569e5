import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../support/paths.ts';

/** Folder whose `node_modules` hold Grafana's packages: with React 18 the repository's, with React 19 one of its own. */
const PACKAGES = { 18: ROOT, 19: join(ROOT, 'test/plugin-host/react19') } as const;
export type ReactVersion = keyof typeof PACKAGES;

export const hasPackages = (react: ReactVersion): boolean =>
  existsSync(join(PACKAGES[react], 'node_modules/@grafana/ui/package.json'));

/** The page's JavaScript. The bundle of the plugin is not in it: the page loads that as Grafana does. */
export async function buildPage(react: ReactVersion): Promise<string> {
  const result = await build({
    entryPoints: [join(ROOT, 'test/plugin-host/page/main.tsx')],
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
    plugins: react === 19 ? [packagesOf(PACKAGES[19])] : [],
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild made no page');
  return file.text;
}

/** Bare imports of our page come from that folder; those of the packages follow from where they lie. */
function packagesOf(folder: string): Plugin {
  return {
    name: 'packages',
    setup: (context) => {
      context.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind, pluginData }) => {
        if (pluginData === 'resolved' || importer.includes('node_modules')) return undefined;
        return context.resolve(path, { resolveDir: folder, kind, pluginData: 'resolved' });
      });
    },
  };
}
