import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../support/paths.ts';

/** The page's JavaScript. The bundle of the plugin is not in it: the page loads that as Grafana does. */
export async function buildPage(): Promise<string> {
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
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild made no page');
  return file.text;
}
