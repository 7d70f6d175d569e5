/**
 * `?view=panel&panel=tasks&targets=[…]&options={…}`: a panel; `?view=editor&targets=[…]`: the query editor;
 * `?view=config`: the settings of the data source; `?view=app`: the app's page. Errors are shown as text.
 */
import {
  type AppPlugin,
  type AppRootProps,
  AppEvents,
  createTheme,
  type DataQuery,
  type DataSourceApi,
  type DataSourcePlugin,
  type PanelPlugin,
  ThemeContext,
} from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';
import { appEvents, setUpGrafana, SOURCE_TYPE } from './grafana';
import { loadPlugin } from './loader';
import { measure } from './measure';
import { PanelHost } from './PanelHost';

declare global {
  interface Window {
    /** For tests of the data source itself */
    testSource?: DataSourceApi;
    reactVersion?: string;
    measure?: typeof measure;
  }
}

const params = new URLSearchParams(window.location.search);
const json = <T,>(name: string, otherwise: T): T => JSON.parse(params.get(name) ?? JSON.stringify(otherwise)) as T;
const targets = json<DataQuery[]>('targets', []);

function Toasts() {
  const [texts, setTexts] = useState<string[]>([]);
  React.useEffect(() => {
    const kinds = [AppEvents.alertSuccess, AppEvents.alertWarning, AppEvents.alertError];
    const subscriptions = kinds.map((kind) =>
      appEvents.subscribe(kind as never, (event: { payload?: unknown[] }) => {
        setTexts((known) => [...known, (event.payload ?? []).map(String).join(' ')]);
      }),
    );
    return () => subscriptions.forEach((subscription) => subscription.unsubscribe());
  }, []);
  return (
    <ul aria-label="Toasts" style={{ position: 'fixed', bottom: 0, opacity: 0.01, pointerEvents: 'none' }}>
      {texts.map((text, index) => (
        <li key={index}>{text}</li>
      ))}
    </ul>
  );
}

function Editor({
  plugin,
  source,
}: {
  readonly plugin: DataSourcePlugin<DataSourceApi>;
  readonly source: DataSourceApi;
}) {
  const [query, setQuery] = useState<DataQuery>(targets[0] ?? { refId: 'A' });
  const QueryEditor = plugin.components.QueryEditor;
  return (
    <>
      {QueryEditor !== undefined && (
        <QueryEditor datasource={source} query={query} onChange={setQuery} onRunQuery={() => undefined} />
      )}
      <pre data-testid="query">{JSON.stringify(query)}</pre>
    </>
  );
}

async function view(source: DataSourceApi): Promise<React.ReactNode> {
  switch (params.get('view')) {
    case 'panel': {
      const plugin = await loadPlugin<PanelPlugin>(`umbel-celery${params.get('panel') ?? ''}-panel`);
      return <PanelHost {...{ plugin, source, targets }} options={json('options', {})} hours={json('hours', 1)} />;
    }
    case 'editor':
      return <Editor plugin={await loadPlugin<DataSourcePlugin<DataSourceApi>>(SOURCE_TYPE)} source={source} />;
    case 'app': {
      const Root = (await loadPlugin<AppPlugin>('umbel-celery-app')).root;
      return Root === undefined ? (
        'no page'
      ) : (
        <Root
          {...({
            basename: '/a/umbel-celery-app',
            meta: {},
            query: {},
            path: '',
            onNavChanged: () => undefined,
          } as unknown as AppRootProps)}
        />
      );
    }
    default:
      return 'no view';
  }
}

async function main(): Promise<void> {
  window.reactVersion = React.version;
  window.measure = measure;
  const source = await setUpGrafana();
  window.testSource = source;
  const content = await view(source);
  createRoot(document.getElementById('root') ?? document.body).render(
    <ThemeContext.Provider value={createTheme({ colors: { mode: 'dark' } })}>
      <GlobalStyles />
      <MemoryRouter>
        {content}
        <PortalContainer />
        <Toasts />
      </MemoryRouter>
    </ThemeContext.Provider>,
  );
}

main().catch((error: unknown) => {
  document.body.textContent = `The page failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
});
