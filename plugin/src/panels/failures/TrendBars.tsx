import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { formatInstant } from '../../shared/ui/format';
import { peakOf } from './model';

export interface TrendBarsProps {
  readonly trend: readonly number[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly timeZone: TimeZone;
}

const WIDTH = 120;
const HEIGHT = 24;

/** When failures happened within the time range: a bar for each step. */
export function TrendBars({ trend, fromMs, stepMs, timeZone }: TrendBarsProps) {
  const styles = useStyles2(getStyles);
  const peak = peakOf(trend, fromMs, stepMs);
  if (peak === undefined) {
    return null;
  }
  const label = t('failures.trend-label', 'Most at {{time}}: {{count}}', {
    time: formatInstant(peak.atMs, timeZone),
    count: peak.count,
  });
  const step = WIDTH / trend.length;
  return (
    <svg role="img" aria-label={label} width={WIDTH} height={HEIGHT} className={styles.bars}>
      <title>{label}</title>
      {trend.map((count, index) => {
        const height = count === 0 ? 0 : Math.max(2, (count / peak.count) * HEIGHT);
        return <rect key={index} x={index * step} y={HEIGHT - height} width={Math.max(1, step - 1)} height={height} />;
      })}
    </svg>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bars: css({
    fill: theme.colors.error.main,
    borderBottom: `1px solid ${theme.colors.border.medium}`,
    display: 'block',
  }),
});
