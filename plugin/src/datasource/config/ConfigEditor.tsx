import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { DataSourcePicker } from '@grafana/runtime';
import { Alert, Field, FieldSet, Input, SecretInput } from '@grafana/ui';
import React from 'react';
import type { CeleryOptions, CelerySecureOptions } from '../options';

type Props = DataSourcePluginOptionsEditorProps<CeleryOptions, CelerySecureOptions>;

const WIDTH = 50;
const USUAL_TIMEOUT = 30;

/** Settings of the data source: where the agent is, its token, and the data sources that links lead to. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData, secureJsonData, secureJsonFields, readOnly, url } = options;
  const set = (change: Partial<CeleryOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } });
  const setToken = (token: string, isKept: boolean) =>
    onOptionsChange({
      ...options,
      secureJsonData: { ...secureJsonData, token },
      secureJsonFields: { ...secureJsonFields, token: isKept },
    });
  return (
    <>
      <FieldSet label={t('config.agent', 'Agent')}>
        <Field
          noMargin={false}
          label={t('config.url', 'URL')}
          description={t(
            'config.url-text',
            'Of the agent as seen from the Grafana server, with its --url-prefix if any',
          )}
          error={t('config.url-error', 'Write http:// or https:// and a host, e.g. http://umbel:5555')}
          invalid={url !== '' && !/^https?:\/\/[^/\s]+/.test(url)}
        >
          <Input
            id="url"
            width={WIDTH}
            placeholder="http://umbel:5555"
            value={url}
            disabled={readOnly}
            onChange={(event) =>
              onOptionsChange({ ...options, access: 'proxy', url: event.currentTarget.value.trim() })
            }
          />
        </Field>
        <Field
          noMargin={false}
          label={t('config.token', 'Token')}
          description={t(
            'config.token-text',
            'One of the agent’s --tokens, of role admin. Grafana keeps it; each user acts with his own role in Grafana at most.',
          )}
        >
          <SecretInput
            id="token"
            width={WIDTH}
            isConfigured={secureJsonFields?.token === true}
            value={secureJsonData?.token ?? ''}
            disabled={readOnly}
            onChange={(event) => setToken(event.currentTarget.value, false)}
            onReset={() => setToken('', false)}
          />
        </Field>
        <Field
          noMargin={false}
          label={t('config.timeout', 'Timeout')}
          description={t('config.timeout-text', 'Seconds until Grafana gives up on an answer')}
          invalid={jsonData.timeout !== undefined && !(jsonData.timeout >= 1)}
          error={t('config.timeout-error', 'A number of seconds, 1 or more')}
        >
          <Input
            id="timeout"
            type="number"
            min={1}
            width={12}
            placeholder={String(USUAL_TIMEOUT)}
            value={jsonData.timeout ?? ''}
            disabled={readOnly}
            onChange={({ currentTarget: { value } }) => set({ timeout: value === '' ? undefined : Number(value) })}
          />
        </Field>
      </FieldSet>
      <FieldSet label={t('config.links', 'Links')}>
        <Alert severity="info" title={t('config.links-text', 'Tasks, names and workers link to these data sources')} />
        <SourceField
          label="Prometheus"
          description={t('config.prometheus', 'That scrapes the agent: rates of a task, a worker')}
          type="prometheus"
          uid={jsonData.prometheusUid}
          disabled={readOnly}
          onChange={(prometheusUid) => set({ prometheusUid })}
        />
        <SourceField
          label="Loki"
          description={t('config.loki', 'With the logs of the workers: lines with the id of a task')}
          type="loki"
          uid={jsonData.lokiUid}
          disabled={readOnly}
          onChange={(lokiUid) => set({ lokiUid })}
        />
        <SourceField
          label="Tempo"
          description={t('config.tempo', 'That the agent sends spans to: the trace of a workflow')}
          type="tempo"
          uid={jsonData.tempoUid}
          disabled={readOnly}
          onChange={(tempoUid) => set({ tempoUid })}
        />
      </FieldSet>
    </>
  );
}

function SourceField({
  label,
  description,
  type,
  uid,
  disabled = false,
  onChange,
}: {
  readonly label: string;
  readonly description: string;
  readonly type: string;
  readonly uid?: string;
  readonly disabled?: boolean;
  readonly onChange: (uid: string | undefined) => void;
}) {
  return (
    <Field noMargin={false} label={label} description={description}>
      <DataSourcePicker
        inputId={`${type}-picker`}
        type={type}
        current={uid ?? null}
        noDefault
        width={WIDTH}
        disabled={disabled}
        placeholder={t('config.none', 'None')}
        onChange={(settings) => onChange(settings.uid)}
        onClear={() => onChange(undefined)}
      />
    </Field>
  );
}
