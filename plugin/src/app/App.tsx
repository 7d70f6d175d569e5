import { type AppRootProps, type GrafanaTheme2, PageLayoutType } from '@grafana/data';
import { t, Trans } from '@grafana/i18n';
import { getDataSourceSrv, PluginPage } from '@grafana/runtime';
import { Card, EmptyState, LinkButton, Stack, useStyles2 } from '@grafana/ui';
import { css } from '@emotion/css';
import React from 'react';
import { DATASOURCE_ID } from '../shared/ids';
import { AgentCard, type AgentSource } from './AgentCard';
import { dashboardList, dashboardPath } from './dashboards';
import { TaskLookup } from './TaskLookup';

/** The page of the app: how each agent stands, a task by its id, and the dashboards. */
export function App(_props: AppRootProps) {
  const styles = useStyles2(getStyles);
  const sources = agentSources();
  return (
    <PluginPage layout={PageLayoutType.Standard}>
      {sources.length === 0 ? (
        <NoSource />
      ) : (
        <Stack direction="column" gap={3}>
          <section aria-label={t('app.page.agents', 'Agents')}>
            <Stack direction="column" gap={2}>
              {sources.map((source) => (
                <AgentCard key={source.uid} source={source} />
              ))}
            </Stack>
          </section>
          <TaskLookup sources={sources} />
          <section>
            <h2 className={styles.heading}>
              <Trans i18nKey="app.page.dashboards">Dashboards</Trans>
            </h2>
            <div className={styles.grid}>
              {dashboardList().map(({ key, title, description }) => (
                <Card key={key} noMargin href={dashboardPath(key, { datasource: sources[0]?.uid ?? '' })}>
                  <Card.Heading>{title}</Card.Heading>
                  <Card.Description>{description}</Card.Description>
                </Card>
              ))}
            </div>
          </section>
        </Stack>
      )}
    </PluginPage>
  );
}

/** Data sources of ours that this user may see. */
export function agentSources(): AgentSource[] {
  return getDataSourceSrv()
    .getList({ type: DATASOURCE_ID })
    .flatMap(({ uid, name, url }) => (url === undefined ? [] : [{ uid, name, url }]));
}

function NoSource() {
  return (
    <EmptyState
      variant="call-to-action"
      message={t('app.page.no-source', 'No Celery data source yet')}
      button={
        <LinkButton icon="plug" href={`/connections/datasources/${DATASOURCE_ID}`}>
          <Trans i18nKey="app.page.add-source">Add a Celery data source</Trans>
        </LinkButton>
      }
    >
      <Trans i18nKey="app.page.no-source-says">
        The plugin reads from the Umbel agent, which listens to your broker. Run the agent, then add it here as a data
        source.
      </Trans>
    </EmptyState>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  heading: css({ ...theme.typography.h4, marginBottom: theme.spacing(1) }),
  grid: css({
    display: 'grid',
    gap: theme.spacing(1),
    gridTemplateColumns: `repeat(auto-fill, minmax(min(${theme.spacing(36)}, 100%), 1fr))`,
  }),
});
