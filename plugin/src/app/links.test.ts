import type { PluginExtensionPanelContext, PluginExtensionResourceAttributesContext } from '@grafana/data';
import pluginJson from '../plugin.json';
import { DATASOURCE_ID } from '../shared/ids';
import { findTask, openOverview, openTask } from './links';

const ID = '7d0a4a43-0b9f-4c2e-9a34-5c9a2f0d1e11';
const span = (change: Partial<PluginExtensionResourceAttributesContext>): PluginExtensionResourceAttributesContext => ({
  attributes: { 'service.name': ['shop'] },
  timeRange: { from: 1_700_000_000_000, to: 1_700_003_600_000 },
  datasource: { type: 'tempo', uid: 'tempo' },
  ...change,
});

it('is told to Grafana in plugin.json too, word for word', () => {
  const told = [openTask, openOverview, findTask].map(({ title, description, targets }) => ({
    title,
    description,
    targets,
  }));
  expect(pluginJson.extensions.addedLinks).toEqual(told);
});

describe('open the task of a span or log line', () => {
  it('finds the id among the span’s attributes', () => {
    const { path = '' } = openTask.configure?.(span({ spanAttributes: { 'celery.task_id': [ID] } })) ?? {};
    const url = new URL(path, 'http://grafana');
    expect(url.pathname).toBe('/d/umbel-task');
    expect(url.searchParams.get('var-task_id')).toBe(ID);
    expect(url.searchParams.has('var-datasource')).toBe(false);
    expect(Number(url.searchParams.get('from'))).toBeLessThan(1_700_000_000_000);
    expect(Number(url.searchParams.get('to'))).toBeGreaterThan(1_700_003_600_000);
  });

  it('stays with the data source when the trace is its own', () => {
    const context = span({ attributes: { task_id: [ID] }, datasource: { type: DATASOURCE_ID, uid: 'celery-1' } });
    expect(openTask.configure?.(context)?.path).toContain('var-datasource=celery-1');
  });

  it.each([span({}), span({ attributes: { task_id: ['../../etc'] } }), undefined])(
    'is not there without an id',
    (context) => {
      expect(openTask.configure?.(context)).toBeUndefined();
    },
  );
});

describe('overview from the menu of a panel', () => {
  const panel = (type: string) =>
    ({
      targets: [{ refId: 'A', datasource: { type, uid: 'x' } }],
      timeRange: { from: 'now-6h', to: 'now' },
    }) as unknown as PluginExtensionPanelContext;

  it('keeps the time range of a panel with our data', () => {
    expect(openOverview.configure?.(panel(DATASOURCE_ID))?.path).toBe(
      '/d/umbel-overview?var-datasource=x&from=now-6h&to=now',
    );
  });

  it('is not there on others', () => {
    expect(openOverview.configure?.(panel('prometheus'))).toBeUndefined();
  });
});
