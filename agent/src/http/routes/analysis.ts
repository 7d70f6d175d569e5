import { Type } from 'typebox';
import { MOST_SERIES_STEPS } from '../../core/query/filter.ts';
import { needHistory, type Routes } from '../context.ts';
import { answers, READS, told } from '../contract/answers.ts';
import { toApiFailure, toApiSeries } from '../contract/convert.ts';
import { given, toRange, toTaskFilter, upperCase } from '../contract/filter.ts';
import { fromTo, limit, parameters, taskFilterParameters } from '../contract/parameters.ts';
import { FailuresSchema, GapsSchema, ref, SeriesSchema } from '../contract/schemas.ts';
import { parseDuration } from '../contract/time.ts';
import { ApiProblem, badParameter } from '../errors.ts';

const tags = ['Analysis'];
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEP_PATTERN = '^([1-9]\\d{0,5}m|[1-9]\\d{0,3}h|[1-9]\\d{0,2}[dw])$';
const STEP = new RegExp(STEP_PATTERN);
const USUAL_POINTS = 300;
/** Bars of the small picture of when failures happened. */
const TREND_STEPS = 30;
const NICE_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE_MS);

const { names, workers, queues, states, notNames, notWorkers, notQueues, notStates } = taskFilterParameters;

const seriesSchema = {
  tags,
  summary: 'Counts, rates and runtimes over time',
  description: 'From roll-ups by the minute of each event: cheap over any range, and kept longer than the events.',
  querystring: parameters({
    ...fromTo,
    step: Type.Optional(
      told(Type.String({ description: `\`5m\`, \`1h\`, \`1d\`, \`1w\`; default gives ≤ ${USUAL_POINTS} points` }), {
        pattern: STEP_PATTERN,
      }),
    ),
    by: Type.Array(Type.Enum(['name', 'worker', 'queue', 'state']), {
      default: [],
      description: 'One series for each',
    }),
    columns: Type.Array(Type.Enum(['count', 'rate', 'p50', 'p95', 'p99']), { default: ['count'], minItems: 1 }),
    names,
    workers,
    queues,
    states,
    notNames,
    notWorkers,
    notQueues,
    notStates,
    limit: limit(1000, 100),
  }),
  response: answers(ref(SeriesSchema), 'The series, the largest first', [...READS, 422]),
};

const failuresSchema = {
  tags,
  summary: 'Failures grouped by exception and message',
  description: 'Takes the filters of /tasks; `from` defaults to one day before `to`.',
  querystring: parameters({ ...taskFilterParameters, limit: limit(1000, 50) }),
  response: answers(ref(FailuresSchema), 'The groups, the largest first', READS),
};

const gapsSchema = {
  tags,
  summary: 'Times in which events could not be heard',
  querystring: parameters({ ...fromTo, limit: limit(1000, 100) }),
  response: answers(ref(GapsSchema), 'The gaps, the newest first', READS),
};

/** `/series`, `/failures`, `/gaps`. */
export const analysisRoutes: Routes = async (app, { deps }) => {
  app.get('/series', { schema: seriesSchema }, async ({ query }) => {
    const history = needHistory(deps);
    const range = toRange(query, deps.clock.now(), HOUR_MS);
    const stepMs = readStep(query.step, range.toMs - range.fromMs);
    const fromMs = Math.floor(range.fromMs / stepMs) * stepMs;
    const toMs = Math.max(Math.ceil(range.toMs / stepMs) * stepMs, fromMs + stepMs);
    if ((toMs - fromMs) / stepMs > MOST_SERIES_STEPS) throw tooManySteps();
    const { names, workers, queues, notNames, notWorkers, notQueues, limit } = query;
    const by = unique(query.by);
    const columns = unique(query.columns);
    const series = await history.series({
      ...given({ names, workers, queues, states: upperCase(query.states) }),
      ...given({ notNames, notWorkers, notQueues, notStates: upperCase(query.notStates) }),
      ...{ fromMs, toMs, stepMs, by, columns, limit },
    });
    return { fromMs, toMs, stepMs, columns, series: series.map((one) => toApiSeries(one, columns)) };
  });

  app.get('/failures', { schema: failuresSchema }, async ({ query }) => {
    const history = needHistory(deps);
    const nowMs = deps.clock.now();
    const { fromMs, toMs } = toRange(query, nowMs, DAY_MS);
    const trend = { fromMs, toMs: Math.max(toMs, fromMs + TREND_STEPS), steps: TREND_STEPS };
    // Without `to` the end stays open: for what happens right now, and what a worker's fast clock puts after it.
    const groups = await history.failures({ ...toTaskFilter(query, nowMs), fromMs }, query.limit, trend);
    const trendStepMs = (trend.toMs - fromMs) / TREND_STEPS;
    return { groups: groups.map(toApiFailure), trendFromMs: fromMs, trendStepMs };
  });

  app.get('/gaps', { schema: gapsSchema }, async ({ query }) => {
    const history = needHistory(deps);
    const { fromMs, toMs } = toRange(query, deps.clock.now(), 30 * DAY_MS);
    const gaps = await history.gaps(fromMs, toMs, query.limit);
    return {
      gaps: gaps.map(({ id, fromMs, toMs, cause, agent, coveredBy, healed }) => ({
        ...{ id, fromMs, toMs, cause, agent, coveredBy, healed },
      })),
    };
  });
  await Promise.resolve();
};

function readStep(text: string | undefined, spanMs: number): number {
  if (text === undefined) {
    const least = spanMs / USUAL_POINTS;
    return NICE_STEPS.find((step) => step >= least) ?? Math.ceil(least / DAY_MS) * DAY_MS;
  }
  if (STEP.test(text)) return parseDuration('step', text);
  throw badParameter('step', '`step` must be whole minutes, hours, days or weeks, such as 5m, 1h, 1d or 1w.');
}

function tooManySteps(): ApiProblem {
  const advice = 'make it larger or the range shorter';
  const message = `\`step\` gives more than ${MOST_SERIES_STEPS} points; ${advice}.`;
  return new ApiProblem(422, 'too-many', message, 'step');
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
