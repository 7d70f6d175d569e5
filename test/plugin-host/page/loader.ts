/** Loads built plugins with SystemJS, with the modules that Grafana shares (public/app/features/plugins/loader). */
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';
import * as emotionCss from '@emotion/css';
import * as grafanaData from '@grafana/data';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUi from '@grafana/ui';
import * as i18next from 'i18next';
import * as lodash from 'lodash';
import * as moment from 'moment';
import * as React from 'react';
import * as ReactDOM from 'react-dom';
import * as jsxRuntime from 'react/jsx-runtime';
import * as reactRouter from 'react-router';
import * as rxjs from 'rxjs';

interface SystemJs {
  addImportMap(map: { imports: Record<string, string> }): void;
  set(id: string, module: object): void;
  import(url: string): Promise<{ readonly default?: unknown; readonly __useDefault?: boolean }>;
}
declare const System: SystemJs;

const SHARED: Readonly<Record<string, object>> = {
  '@emotion/css': emotionCss,
  '@grafana/data': grafanaData,
  '@grafana/runtime': grafanaRuntime,
  '@grafana/ui': grafanaUi,
  i18next,
  lodash,
  moment,
  react: React,
  'react-dom': ReactDOM,
  'react/jsx-runtime': jsxRuntime,
  'react-router': reactRouter,
  rxjs,
};

const names = Object.keys(SHARED);
System.addImportMap({ imports: Object.fromEntries(names.map((name) => [name, `host:${name}`])) });
for (const [name, module] of Object.entries(SHARED)) {
  const whole = (module as { default?: unknown }).default ?? module;
  System.set(`host:${name}`, { ...module, default: whole, __esModule: true });
}

/** The plugin that a built module exports; Grafana serves nested ones below their own id, too. */
export async function loadPlugin<T>(id: string): Promise<T> {
  const path = `/public/plugins/${id}/module.js`;
  const module = await System.import(new URL(path, window.location.origin).href);
  // A module with a top-level await exports a promise: Grafana's loader waits for the default export too.
  const exported = (module.__useDefault === true ? await module.default : module) as { readonly plugin?: T };
  if (exported.plugin === undefined) {
    throw new Error(`${path} exports no plugin`);
  }
  return exported.plugin;
}
