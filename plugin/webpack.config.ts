import CopyWebpackPlugin from 'copy-webpack-plugin';
import path from 'path';
import type { Configuration } from 'webpack';
import { merge } from 'webpack-merge';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config';

/** The scaffold copies the root plugin's pictures alone; each nested plugin shows a logo of its own, and the app carries the dashboards. */
const config = async (env: Env): Promise<Configuration> =>
  merge(await grafanaConfig(env), {
    plugins: [
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
  });

export default config;
