import type { AppPluginMeta, GrafanaTheme2, PluginConfigPageProps } from '@grafana/data';
import { t, Trans } from '@grafana/i18n';
import { config } from '@grafana/runtime';
import { ClipboardButton, LinkButton, Stack, TextLink, useStyles2 } from '@grafana/ui';
import { css } from '@emotion/css';
import React, { type ReactNode } from 'react';
import { APP_ID, DATASOURCE_ID } from '../shared/ids';
import { agentSources } from './App';

/** How to get from nothing to a first dashboard. */
export function Configuration(_props: PluginConfigPageProps<AppPluginMeta>) {
  return (
    <Stack direction="column" gap={3}>
      <Step
        title={t('app.config.agent', '1. Run the agent')}
        code={
          'CELERY_BROKER_URL=redis://redis.example:6379/0 UMBEL_TOKENS_FILE=/run/secrets/tokens npm start -- --address 0.0.0.0'
        }
      >
        <Trans i18nKey="app.config.agent-says">
          A small service beside your broker. It needs the URL that your workers use, nothing else, and no change in
          them. The file of tokens has one line, name:role:token, such as grafana:admin: and 32 or more random
          characters. Each action is let through with the role of the Grafana user, never with more.
        </Trans>
      </Step>
      <Step title={t('app.config.source', '2. Add it as a data source')}>
        <Trans i18nKey="app.config.source-says">
          Its URL as seen from Grafana, and the token. The token stays in Grafana and never reaches a browser.
        </Trans>
        <div>
          <LinkButton icon="plug" href={`/connections/datasources/${DATASOURCE_ID}`}>
            <Trans i18nKey="app.config.add-source">Create a Celery data source</Trans>
          </LinkButton>
        </div>
      </Step>
      <Step
        title={t('app.config.identity', '3. Let the agent know who acts')}
        code={`--grafana-url ${config.appUrl.replace(/\/$/, '')}`}
      >
        <Trans i18nKey="app.config.identity-says">
          With this option the agent checks the identity that Grafana signs for each request, so that the audit names
          the user as proven. Without it the name is marked as claimed.
        </Trans>
      </Step>
      <Step title={t('app.config.look', '4. Look')}>
        <div>
          <LinkButton variant="secondary" icon="apps" href={`/a/${APP_ID}`} disabled={agentSources().length === 0}>
            <Trans i18nKey="app.config.open">Open the Celery page</Trans>
          </LinkButton>
        </div>
        <Trans i18nKey="app.config.dashboards">
          The dashboards came with the plugin: find them below Celery in the menu, or by the tag celery.
        </Trans>
        <TextLink external href="https://github.com/umbel-celery/umbel">
          {t('app.config.docs', 'Documentation')}
        </TextLink>
      </Step>
    </Stack>
  );
}

interface StepProps {
  readonly title: string;
  readonly children: ReactNode;
  /** To be copied into a shell */
  readonly code?: string;
}

function Step({ title, children, code }: StepProps) {
  const styles = useStyles2(getStyles);
  return (
    <section>
      <h3 className={styles.title}>{title}</h3>
      <Stack direction="column" gap={1}>
        {children}
        {code !== undefined && (
          <Stack direction="row" gap={1} alignItems="center">
            <code className={styles.code}>{code}</code>
            <ClipboardButton
              icon="copy"
              variant="secondary"
              size="sm"
              getText={() => code}
              aria-label={t('app.config.copy', 'Copy')}
            />
          </Stack>
        )}
      </Stack>
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  title: css({ ...theme.typography.h5 }),
  code: css({ overflowX: 'auto', whiteSpace: 'nowrap', padding: theme.spacing(0.5, 1) }),
});
