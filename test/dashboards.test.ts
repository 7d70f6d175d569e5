import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from './support/paths.ts';

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly datasource?: { readonly uid?: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly collapsed?: boolean;
  readonly datasource?: { readonly uid?: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly noValue?: string } };
  readonly panels?: readonly Panel[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly label?: string;
      readonly datasource?: { readonly uid: string };
    }[];
  };
}

const folder = join(ROOT, 'dashboards');
const files = readdirSync(folder).sort();
const read = (file: string): Dashboard => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard;
const uids = new Set(files.map((file) => read(file).uid));
const plugin = (path: string): { id: string; includes?: { type: string; path: string }[] } =>
  JSON.parse(readFileSync(join(ROOT, 'plugin/src', path), 'utf8')) as { id: string };

/** Panels that show numbers and so need a unit; in tables and in our own panels each field has its own. */
const NUMERIC = ['timeseries', 'stat', 'bargauge', 'heatmap'];
const BUILT_IN = [...NUMERIC, 'table', 'logs', 'nodeGraph', 'traces', 'row'];

it('there are ten, and the app carries each', () => {
  expect(files).toHaveLength(10);
  const included = plugin('plugin.json').includes?.filter(({ type }) => type === 'dashboard') ?? [];
  expect(included.map(({ path }) => path).sort()).toEqual(files.map((file) => `dashboards/${file}`));
});

describe.each(files)('%s', (file) => {
  const dashboard = read(file);
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const shown = panels.filter(({ type }) => type !== 'row');
  const text = JSON.stringify(dashboard);

  it('every panel has a title, a description, a unit and a word for no data', () => {
    const wanting = shown.flatMap((panel) => {
      const defaults = panel.fieldConfig?.defaults;
      const lacks = [
        ...(panel.title === '' ? ['title'] : []),
        ...((panel.description ?? '') === '' ? ['description'] : []),
        ...((defaults?.noValue ?? '') === '' ? ['noValue'] : []),
        ...(NUMERIC.includes(panel.type) && (defaults?.unit ?? '') === '' ? ['unit'] : []),
        ...((panel.targets ?? []).length === 0 ? ['targets'] : []),
      ];
      return lacks.length === 0 ? [] : [`${panel.title}: ${lacks.join(', ')}`];
    });
    expect(wanting).toEqual([]);
  });

  it('every panel is one that Grafana or the app has', () => {
    const own = ['tasks', 'workers', 'queues', 'workflow', 'failures'].map(
      (name) => plugin(`panels/${name}/plugin.json`).id,
    );
    const unknown = panels.filter(({ type }) => ![...BUILT_IN, ...own].includes(type)).map(({ type }) => type);
    expect(unknown).toEqual([]);
  });

  it('data sources are chosen by variables that are there', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    const refs = shown.flatMap((panel) => [panel, ...(panel.targets ?? [])]).map(({ datasource }) => datasource?.uid);
    expect([...new Set(refs)].filter((ref) => ref !== '${datasource}' && ref !== '${prometheus}')).toEqual([]);
    for (const [, name] of text.matchAll(
      /\$\{?(datasource|prometheus|task|queue|worker|state|task_id|fingerprint)\b/g,
    )) {
      expect(names).toContain(name);
    }
    expect(dashboard.templating.list.filter(({ label }) => (label ?? '') === '')).toEqual([]);
  });

  it('brokers that one Prometheus scrapes are kept apart, and can be chosen', () => {
    const targets = shown.flatMap(({ targets: own = [] }) => own).filter(({ expr }) => expr !== undefined);
    const filters = dashboard.templating.list.filter(({ type }) => type === 'adhoc');
    expect(filters.map(({ datasource }) => datasource?.uid)).toEqual(targets.length === 0 ? [] : ['${prometheus}']);
    for (const { expr = '', legendFormat = '' } of targets) {
      if (!legendFormat.includes('{{queue_name}}')) continue;
      for (const [, labels = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
        expect(labels.split(', ')).toEqual(expect.arrayContaining(['cluster', 'namespace', 'job', 'queue_name']));
      }
      expect(legendFormat).toContain('{{cluster}}');
    }
  });

  it('links go to dashboards that are there, and keep time range and data source', () => {
    for (const [, url = ''] of text.matchAll(/"url":"(\/d\/[^"]*)"/g)) {
      expect(uids).toContain(/^\/d\/([\w-]+)/.exec(url)?.[1]);
      expect(url).toContain('${__url_time_range}');
      expect(url).toContain('${datasource:queryparam}');
    }
  });

  it('panels do not overlap and have ids of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const wrong: string[] = [];
    const cells = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      if (gridPos.x + gridPos.w > 24) wrong.push(`${title}: wider than the page`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          if (cells.has(`${x} ${y}`)) wrong.push(`${title}: over another at ${x}, ${y}`);
          cells.add(`${x} ${y}`);
        }
    }
    expect(wrong).toEqual([]);
  });
});
