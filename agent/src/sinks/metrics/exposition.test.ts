import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { recordedMessages } from '../../../../test/recordings/recordings.testkit.ts';
import { ROOT } from '../../../../test/support/paths.ts';
import { runPython } from '../../../../test/support/python.ts';
import { systemClock } from '../../lib/clock.ts';
import { decodeMessage } from '../../core/events/decode.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import { traceIdOf } from '../../core/telemetry/ids.ts';
import { CONTENT_TYPES, formatFor } from './exposition.ts';
import { FAMILIES } from './families.ts';
import { metricsMarkdown } from './docs.ts';
import { createMetrics } from './metrics.ts';
import { pythonBound } from './number-text.ts';
import { Replay } from './testing/replay.testkit.ts';

const GOLDEN = join(ROOT, 'agent/src/sinks/metrics/testing/golden.metrics.txt');
const OPEN = 'application/openmetrics-text; version=1.0.0';

/** `npm test` installs it; where the tests run without that, only CI insists. */
const wantsPromtool = Boolean(process.env['CI']) || spawnSync('promtool', ['--version']).status === 0;

function recordedEvents(): CeleryEvent[] {
  return recordedMessages('celery-5.7-redis').flatMap(({ raw }) => decodeMessage(raw).events);
}

function replayed(): Replay {
  const replay = new Replay({ version: 'test' });
  for (const event of recordedEvents()) {
    replay.clock.nowMs = event.receivedMs;
    replay.event(event);
  }
  return replay;
}

describe('the text format', () => {
  it('is the golden file for a recorded session', async () => {
    const text = await replayed().text();
    // One worker and task of the histograms are enough to read.
    const lines = text.split('\n').filter((line) => !line.includes('_bucket') || line.includes('fixture_app.add"'));
    const golden = `${lines.join('\n')}\n`.replace(/\n+$/, '\n');
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(GOLDEN, golden);
    expect(golden).toBe(await readFile(GOLDEN, 'utf8'));
  });

  it('is read by Python’s parser, with every family and its type', async () => {
    const { metrics } = replayed();
    const { body } = await metrics.text();
    const read = await readByPython('parser', body);
    for (const { name, type, set } of FAMILIES) {
      if (set === 'process') continue;
      // That parser calls a counter by its name without the ending.
      expect([name, read.types[name.replace(/_total$/, '')]]).toEqual([name, type]);
    }
  });

  it('has the process families that Flower has, and ends every type line of a _total in counter', async () => {
    const metrics = createMetrics({}, systemClock);
    const { body } = await metrics.text();
    for (const { name, type } of FAMILIES.filter(({ set }) => set === 'process')) {
      expect(body).toContain(`# TYPE ${name} ${type}\n`);
      expect(body).toMatch(new RegExp(`^${name} [\\d.e+]+$`, 'm'));
    }
    expect(body.match(/^# TYPE \w+_total (?!counter)/gm)).toBeNull();
  });

  (wantsPromtool ? it : it.skip)('pleases promtool', async () => {
    const replay = new Replay({ processSet: true });
    for (const event of recordedEvents()) replay.event(event);
    const running = promisify(execFile)('promtool', ['check', 'metrics']);
    running.child.stdin?.end(await replay.text());
    expect(await running).toEqual({ stdout: '', stderr: '' });
  });

  it('puts static labels on every series', async () => {
    const metrics = createMetrics({ staticLabels: { cluster: 'eu' } }, systemClock);
    const { body } = await metrics.text();
    const bare = body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('cluster="eu"'));
    expect(bare).toEqual([]);
  });

  it('has _created series when asked for', async () => {
    const replay = new Replay({ createdSeries: true });
    replay.send('task-succeeded', { name: 't', runtime: 1 });
    const seconds = replay.clock.nowMs / 1000;
    expect(await replay.lines('flower_events_created')).toEqual([
      `flower_events_created{worker="celery@host",type="task-succeeded",task="t"} ${seconds}`,
    ]);
    expect(await replay.lines('celery_task_runtime_created')).toHaveLength(1);
    const read = await readByPython('openmetrics.parser', await replay.text(OPEN));
    expect(read.samples).toContain('flower_events_created');
  });

  it('prints bounds as Python does', async () => {
    const bounds = [0.005, 0.5, 1, 2.5, 10, 1800, 123456, 1e6, 1234567.5, 2.5e7, 1e10, 1e16, 1e-5, 2.5e-7];
    const script = `import json, sys
from prometheus_client.utils import floatToGoString
print(json.dumps([floatToGoString(b) for b in json.load(sys.stdin)]))`;
    expect(bounds.map(pythonBound)).toEqual(JSON.parse(await runPython(script, JSON.stringify(bounds))));
    expect(pythonBound(Infinity)).toBe('+Inf');
  });
});

describe('OpenMetrics', () => {
  it('is read by Python’s parser, with exemplars that carry the trace id', async () => {
    const { metrics } = replayed();
    const { contentType, body } = await metrics.text(OPEN);
    expect(contentType).toBe(CONTENT_TYPES.openmetrics);
    expect(body.endsWith('\n# EOF\n')).toBe(true);
    expect(body).toContain('# TYPE flower_events counter\n');
    expect(body).toContain('\nflower_events_total{');
    const read = await readByPython('openmetrics.parser', body);
    for (const family of ['flower_task_runtime_seconds', 'celery_task_runtime']) {
      expect(read.exemplars[family]).toEqual(expect.arrayContaining([expect.stringMatching(/^[0-9a-f]{32}$/)]));
    }
    const { body: plain } = await metrics.text();
    expect(plain).not.toContain(' # {');
  });

  it('gives the trace that the OTLP sink sends: of the root, else of the task, and also where it is no UUID', async () => {
    const replay = new Replay();
    const uuid = '5f2b9a52-1d7e-4c11-8a7c-0242ac120002';
    const rootId = '0D9C8B7A-6F5E-4D3C-9B1A-09F8E7D6C5B4';
    replay.send('task-received', { uuid, name: 'rooted', root_id: rootId });
    replay.send('task-succeeded', { uuid, name: 'rooted', runtime: 1 });
    expect(await replay.text(OPEN)).toContain(' # {trace_id="0d9c8b7a6f5e4d3c9b1a09f8e7d6c5b4"} ');
    for (const [id, traceId] of [
      [uuid, '5f2b9a521d7e4c118a7c0242ac120002'],
      ['order-17', traceIdOf('order-17')],
    ] as const) {
      const other = new Replay();
      other.send('task-succeeded', { uuid: id, name: 'alone', runtime: 1 });
      expect(await other.text(OPEN)).toContain(` # {trace_id="${traceId}"} `);
    }
  });

  it('is served only to those who like it at least as much as plain text', () => {
    const prometheus =
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
    expect(formatFor(prometheus)).toBe('openmetrics');
    expect(formatFor('application/openmetrics-text')).toBe('openmetrics');
    expect(formatFor('text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.1')).toBe('text');
    expect(formatFor('application/openmetrics-text;q=0')).toBe('text');
    expect(formatFor('*/*')).toBe('text');
    expect(formatFor(undefined)).toBe('text');
  });
});

it('lets other work run while a large answer is printed', async () => {
  const replay = new Replay();
  for (let i = 0; i < 2000; i++) replay.send('task-succeeded', { uuid: `t${i}`, name: `t${i}`, runtime: 1 });
  let turns = 0;
  let printing = true;
  const turn = (): void => {
    turns += 1;
    if (printing) setImmediate(turn);
  };
  setImmediate(turn);
  const text = await replay.text();
  printing = false;
  expect(text.split('\n').length).toBeGreaterThan(50_000);
  expect(turns).toBeGreaterThan(3);
});

it('documents every family', () => {
  const page = metricsMarkdown();
  for (const { name } of FAMILIES) expect(page).toContain(`| \`${name}\` |`);
});

interface Read {
  /** Type by family. */
  readonly types: Readonly<Record<string, string>>;
  readonly samples: readonly string[];
  /** Trace ids by family. */
  readonly exemplars: Readonly<Record<string, readonly string[]>>;
}

async function readByPython(parser: 'parser' | 'openmetrics.parser', body: string): Promise<Read> {
  const script = `import json, sys
from prometheus_client.${parser} import text_string_to_metric_families
types, samples, exemplars = {}, set(), {}
for family in text_string_to_metric_families(sys.stdin.read()):
    types[family.name] = family.type
    for sample in family.samples:
        samples.add(sample.name)
        if sample.exemplar:
            exemplars.setdefault(family.name, []).append(sample.exemplar.labels['trace_id'])
print(json.dumps({'types': types, 'samples': sorted(samples), 'exemplars': exemplars}))`;
  return JSON.parse(await runPython(script, body)) as Read;
}
