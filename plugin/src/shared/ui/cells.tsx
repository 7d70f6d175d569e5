import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import React from 'react';
import { formatAgo, formatDuration, formatInstant, UNKNOWN } from './format';

type Ms = number | null | undefined;

/** A length of time. */
export function Duration({ ms }: { readonly ms: Ms }) {
  return <Known value={ms}>{formatDuration(ms)}</Known>;
}

/** An instant with milliseconds, in the dashboard's time zone. */
export function Instant({ ms, timeZone }: { readonly ms: Ms; readonly timeZone?: TimeZone }) {
  return <Known value={ms}>{formatInstant(ms, timeZone)}</Known>;
}

/** How long ago; the instant itself on hover. */
export function Ago({
  ms,
  nowMs,
  timeZone,
}: {
  readonly ms: Ms;
  readonly nowMs: number;
  readonly timeZone?: TimeZone;
}) {
  return (
    <Known value={ms}>
      <span title={formatInstant(ms, timeZone)}>{formatAgo(ms, nowMs)}</span>
    </Known>
  );
}

function Known({ value, children }: { readonly value: Ms; readonly children: React.ReactNode }) {
  if (value === null || value === undefined) {
    return (
      <span role="img" aria-label={t('ui.unknown', 'not known')}>
        {UNKNOWN}
      </span>
    );
  }
  return <>{children}</>;
}
