import type { QueryEditorHelpProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Card, Stack, Text } from '@grafana/ui';
import React from 'react';
import type { CeleryQuery } from '../query';

interface Example {
  readonly title: string;
  readonly text: string;
  readonly query: CeleryQuery;
}

/** Queries to start from; a click takes one over. */
export function QueryHelp({ onClickExample }: QueryEditorHelpProps<CeleryQuery>) {
  return (
    <Stack direction="column" gap={1}>
      <Text element="h2">{t('help.title', 'Celery cheat sheet')}</Text>
      {examples().map(({ title, text, query }) => (
        <Card key={title} noMargin onClick={() => onClickExample(query)}>
          <Card.Heading>{title}</Card.Heading>
          <Card.Description>{text}</Card.Description>
        </Card>
      ))}
    </Stack>
  );
}

function examples(): Example[] {
  return [
    {
      title: t('help.failed', 'Tasks that failed'),
      text: t('help.failed-text', 'A table of tasks in the state FAILURE, the latest first'),
      query: { refId: 'A', kind: 'tasks', filter: { states: ['FAILURE'] } },
    },
    {
      title: t('help.search', 'Search as in Flower'),
      text: 'name:import args:"42"',
      query: { refId: 'A', kind: 'tasks', filter: { search: 'name:import args:"42"' } },
    },
    {
      title: t('help.slow', 'Slow tasks'),
      text: t('help.slow-text', 'Tasks that ran for 10 s or longer, the slowest first'),
      query: { refId: 'A', kind: 'tasks', filter: { runtimeMin: '10s' }, sort: 'runtime' },
    },
    {
      title: t('help.rate', 'Throughput by state'),
      text: t('help.rate-text', 'Events a second, a series for each state'),
      query: { refId: 'A', kind: 'series', columns: ['rate'], by: ['state'] },
    },
    {
      title: t('help.runtime', 'Runtimes by task'),
      text: t('help.runtime-text', 'The 95th percentile, a series for each task name'),
      query: { refId: 'A', kind: 'series', columns: ['p95'], by: ['name'] },
    },
    {
      title: t('help.failures', 'What fails'),
      text: t('help.failures-text', 'Failures grouped by exception and message'),
      query: { refId: 'A', kind: 'failures' },
    },
    {
      title: t('help.events', 'What workers tell'),
      text: t('help.events-text', 'Events of tasks and workers as logs; press Live to follow them'),
      query: { refId: 'A', kind: 'events' },
    },
    {
      title: t('help.workers', 'Workers'),
      text: t('help.workers-text', 'Whether they are online, and what they do'),
      query: { refId: 'A', kind: 'workers' },
    },
    {
      title: t('help.queues', 'Queues'),
      text: t('help.queues-text', 'How many messages wait, and for how long'),
      query: { refId: 'A', kind: 'queues' },
    },
  ];
}
