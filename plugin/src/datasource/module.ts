import { DataSourcePlugin } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { CeleryDataSource } from './datasource';
import { ConfigEditor } from './config/ConfigEditor';
import { QueryEditor } from './editor/QueryEditor';
import { QueryHelp } from './editor/QueryHelp';
import type { CeleryOptions, CelerySecureOptions } from './options';
import pluginJson from './plugin.json';
import type { CeleryQuery } from './query';

await initPluginTranslations(pluginJson.id);

export const plugin = new DataSourcePlugin<CeleryDataSource, CeleryQuery, CeleryOptions, CelerySecureOptions>(
  CeleryDataSource,
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
