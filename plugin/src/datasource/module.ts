import {
  DataSourcePlugin,
  type QueryEditorHelpProps,
  type QueryEditorProps,
  type DataSourcePluginOptionsEditorProps,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { CeleryDataSource } from './datasource';
import { lazily } from '../shared/ui/lazily';
import type { CeleryOptions, CelerySecureOptions } from './options';
import pluginJson from './plugin.json';
import type { CeleryQuery } from './query';

await initPluginTranslations(pluginJson.id);

const QueryEditor = lazily<QueryEditorProps<CeleryDataSource, CeleryQuery, CeleryOptions>>(() =>
  import('./editor/QueryEditor').then(({ QueryEditor }) => QueryEditor),
);
const QueryHelp = lazily<QueryEditorHelpProps<CeleryQuery>>(() =>
  import('./editor/QueryHelp').then(({ QueryHelp }) => QueryHelp),
);
const ConfigEditor = lazily<DataSourcePluginOptionsEditorProps<CeleryOptions, CelerySecureOptions>>(() =>
  import('./config/ConfigEditor').then(({ ConfigEditor }) => ConfigEditor),
);

export const plugin = new DataSourcePlugin<CeleryDataSource, CeleryQuery, CeleryOptions, CelerySecureOptions>(
  CeleryDataSource,
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
