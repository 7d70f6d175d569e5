import CopyWebpackPlugin from 'copy-webpack-plugin';
import path from 'path';
import type { Configuration } from 'webpack';
import { merge } from 'webpack-merge';
import VirtualModulesPlugin from 'webpack-virtual-modules';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config';
import { id } from './src/plugin.json';

/**
 * Grafana serves a nested plugin below its own id (`public/plugins/<its id>/module.js`), where the chunks are not: they
 * are the app's. The scaffold takes the folder of the module for theirs.
 */
const publicPath = `
import amdMetaModule from 'amd-module';

const [before] = (amdMetaModule?.uri ?? '').split('public/plugins/');
__webpack_public_path__ = before + 'public/plugins/${id}/';
`;

/** Grafana's own code is of no older JavaScript; spelled out for the scaffold's ES2015 this would be half as long again. */
const TARGET = 'es2020';

function withTarget(rule: NonNullable<NonNullable<Configuration['module']>['rules']>[number]): typeof rule {
  if (typeof rule !== 'object' || rule === null || typeof rule.use !== 'object' || !('options' in rule.use)) {
    return rule;
  }
  const { loader, options } = rule.use;
  if (loader !== 'swc-loader' || typeof options !== 'object') {
    return rule;
  }
  return { ...rule, use: { loader, options: { ...options, jsc: { ...options['jsc'], target: TARGET } } } };
}

/** The scaffold copies the root plugin's pictures alone; each nested plugin shows a logo of its own, and the app carries the dashboards. */
const config = async (env: Env): Promise<Configuration> => {
  const { plugins = [], ...scaffold } = await grafanaConfig(env);
  const { module } = scaffold;
  return merge(
    { ...scaffold, module: { ...module, rules: module?.rules?.map(withTarget) } },
    {
      plugins: [
        ...plugins.filter((plugin) => !(plugin instanceof VirtualModulesPlugin)),
        new VirtualModulesPlugin({ 'node_modules/grafana-public-path.js': publicPath }),
        new CopyWebpackPlugin({
          patterns: [
            { from: '**/img/**', to: '.', noErrorOnMissing: true },
            {
              from: path.resolve(__dirname, '../dashboards/*.json'),
              to: 'dashboards/[name][ext]',
              noErrorOnMissing: true,
            },
          ],
        }),
      ],
      performance: { hints: false },
    },
  );
};

export default config;
