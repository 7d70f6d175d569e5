/** Services and registries that Grafana sets up before it loads a plugin. */
import {
  type DataSourceApi,
  type DataSourceInstanceSettings,
  type DataSourcePlugin,
  type DataSourceRef,
  EventBusSrv,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';
import * as runtime from '@grafana/runtime';
import i18next from 'i18next';
import { loadPlugin } from './loader';
import { backendSrv } from './services';

const UID = 'umbel';
export const SOURCE_TYPE = 'umbel-celery-datasource';
const EDITORS = [
  ...['text', 'number', 'boolean', 'select', 'multi-select', 'radio', 'color', 'slider', 'strings', 'unit', 'timezone'],
  ...['fieldColor', 'field-name', 'links', 'actions', 'value-mapping', 'thresholds', 'stats-picker', 'dashboard-uid'],
];
const FIELD_EDITORS = [
  ...['displayName', 'unit', 'min', 'max', 'decimals', 'color', 'noValue', 'links', 'mappings', 'thresholds'],
  ...['filterable', 'fieldMinMax', 'description', 'path', 'actions'],
];

/** Messages that the plugin shows as toasts; tests read them. */
export const appEvents = new EventBusSrv();

function fillRegistries(): void {
  standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: () => null })) as never);
  standardFieldConfigEditorRegistry.setInit(
    () =>
      FIELD_EDITORS.map((id) => ({
        ...{ id, path: id, name: id, editor: () => null, override: () => null },
        ...{ process: (value: unknown) => value, shouldApply: () => true, settings: {} },
      })) as never,
  );
}

/** Sets all up, and resolves to the data source of the page: an instance of the built plugin's class. */
export async function setUpGrafana(): Promise<DataSourceApi> {
  fillRegistries();
  // As Grafana does: React escapes already.
  await i18next.init({ lng: 'en-US', resources: {}, returnEmptyString: false, interpolation: { escapeValue: false } });
  runtime.setBackendSrv(backendSrv);
  runtime.setTemplateSrv({
    replace: (text: string | undefined) => text ?? '',
    getVariables: () => [],
    containsTemplate: () => false,
    updateTimeRange: () => undefined,
  } as never);
  runtime.setAppEvents(appEvents);
  runtime.setEchoSrv({ addEvent: () => undefined, addBackend: () => undefined, flush: () => undefined });
  runtime.setLocationSrv({ update: () => undefined });
  runtime.setPluginLinksHook(() => ({ links: [], isLoading: false }));
  runtime.setPluginComponentsHook(() => ({ components: [], isLoading: false }) as never);
  const settings = {
    ...{ id: 1, uid: UID, name: 'Celery', type: SOURCE_TYPE, access: 'proxy', readOnly: false, jsonData: {} },
    ...{ url: `/api/datasources/proxy/uid/${UID}`, meta: { id: SOURCE_TYPE, name: 'Celery', info: {}, module: '' } },
  } as unknown as DataSourceInstanceSettings;
  const found: { source?: DataSourceApi } = {};
  runtime.setDataSourceSrv({
    get: (_ref?: DataSourceRef | string | null) =>
      found.source === undefined ? Promise.reject(new Error('not there yet')) : Promise.resolve(found.source),
    getList: () => [settings],
    getInstanceSettings: () => settings,
    reload: () => undefined,
  } as never);
  const { DataSourceClass } = await loadPlugin<DataSourcePlugin<DataSourceApi>>(SOURCE_TYPE);
  const source = new DataSourceClass(settings);
  Object.assign(source, { meta: settings.meta, uid: UID, type: SOURCE_TYPE, name: 'Celery' });
  found.source = source;
  return source;
}
