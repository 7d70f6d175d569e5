import { dateTimeFormatTimeAgo } from '@grafana/data';
import { t, Trans } from '@grafana/i18n';
import { Alert, Badge, type BadgeColor, Card, type IconName, LinkButton, LoadingPlaceholder, Stack } from '@grafana/ui';
import React, { useEffect, useMemo, useState } from 'react';
import { AgentClient } from '../shared/client';
import type { Status } from '../shared/api';
import { currentRole } from '../shared/permissions';
import { dashboardPath } from './dashboards';
import { historyText, problemsOf, standingOf, type Standing } from './status';

export interface AgentSource {
  readonly uid: string;
  readonly name: string;
  /** The proxy's path to the agent */
  readonly url: string;
}

type Answer = { readonly status: Status } | { readonly error: string } | undefined;

/** One data source: what its agent says of itself. */
export function AgentCard({ source }: { readonly source: AgentSource }) {
  const answer = useStatus(source.url);
  return (
    <Card noMargin>
      <Card.Heading>{source.name}</Card.Heading>
      <Card.Description>
        {answer === undefined && <LoadingPlaceholder text={t('app.agent.asking', 'Asking the agent…')} />}
        {answer !== undefined && 'error' in answer && (
          <Alert severity="error" title={t('app.agent.no-answer', 'The agent does not answer')}>
            {answer.error}
          </Alert>
        )}
        {answer !== undefined && 'status' in answer && <AgentStatus status={answer.status} />}
      </Card.Description>
      <Card.Actions>
        <LinkButton size="sm" icon="apps" href={dashboardPath('overview', { datasource: source.uid })}>
          <Trans i18nKey="app.agent.overview">Overview</Trans>
        </LinkButton>
        <LinkButton size="sm" variant="secondary" href={dashboardPath('agent', { datasource: source.uid })}>
          <Trans i18nKey="app.agent.details">Details of the agent</Trans>
        </LinkButton>
        {currentRole() === 'admin' && (
          <LinkButton size="sm" variant="secondary" icon="cog" href={`/connections/datasources/edit/${source.uid}`}>
            <Trans i18nKey="app.agent.settings">Settings</Trans>
          </LinkButton>
        )}
      </Card.Actions>
    </Card>
  );
}

/** Asked again every half minute while the page is open. */
const ASK_EVERY_MS = 30_000;

function useStatus(url: string): Answer {
  const client = useMemo(() => new AgentClient(url), [url]);
  const [answer, setAnswer] = useState<Answer>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const asked = client.status().subscribe({
      next: (status) => setAnswer({ status }),
      error: (error: unknown) => setAnswer({ error: error instanceof Error ? error.message : String(error) }),
    });
    const timer = setTimeout(() => setRound((n) => n + 1), ASK_EVERY_MS);
    return () => {
      clearTimeout(timer);
      asked.unsubscribe();
    };
  }, [client, round]);
  return answer;
}

const BADGES: Readonly<Record<Standing, { readonly color: BadgeColor; readonly icon: IconName }>> = {
  connected: { color: 'green', icon: 'check' },
  demo: { color: 'purple', icon: 'info-circle' },
  warning: { color: 'orange', icon: 'exclamation-triangle' },
  'broker-away': { color: 'red', icon: 'times' },
};

function standingText(standing: Standing): string {
  switch (standing) {
    case 'connected':
      return t('app.agent.connected', 'Connected');
    case 'demo':
      return t('app.agent.demo', 'Demo');
    case 'warning':
      return t('app.agent.warning', 'Connected, with warnings');
    case 'broker-away':
      return t('app.agent.broker-away', 'Broker away');
  }
}

function AgentStatus({ status }: { readonly status: Status }) {
  const standing = standingOf(status);
  const { broker, version } = status;
  const since = dateTimeFormatTimeAgo(broker.sinceMs);
  return (
    <Stack direction="column" gap={1}>
      {status.demo && (
        <Alert severity="info" title={t('app.agent.demo-title', 'These are made-up tasks')}>
          <Trans i18nKey="app.agent.demo-says">
            The agent has no broker and shows a simulated cluster. Start it with the URL of your broker to see your own
            tasks.
          </Trans>
        </Alert>
      )}
      <Stack direction="row" gap={2} wrap="wrap" alignItems="center">
        <Badge {...BADGES[standing]} text={standingText(standing)} />
        <span>
          {broker.connected
            ? t('app.agent.broker-since', 'Broker {{url}}, connected {{since}}', { url: broker.displayUrl, since })
            : t('app.agent.broker-lost', 'Broker {{url}}, away {{since}}', { url: broker.displayUrl, since })}
        </span>
        <span>{t('app.agent.history', 'History: {{text}}', { text: historyText(status) })}</span>
        <span>{t('app.agent.version', 'Agent {{version}}', { version })}</span>
      </Stack>
      {problemsOf(status).map((text) => (
        <Alert key={text} severity="warning" title={text} />
      ))}
    </Stack>
  );
}
