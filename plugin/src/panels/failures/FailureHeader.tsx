import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import type { FailureSort } from './options';

export function FailureHeader({ sort, wide }: { readonly sort: FailureSort; readonly wide: boolean }) {
  const styles = useStyles2(getStyles);
  const sorted = (by: FailureSort) => (sort === by ? 'descending' : undefined);
  return (
    <>
      <colgroup>
        <col />
        <col style={{ width: 80 }} />
        <col style={{ width: 140 }} />
        <col style={{ width: 100 }} />
        {wide && <col style={{ width: 100 }} />}
        {wide && <col style={{ width: '22%' }} />}
      </colgroup>
      <thead className={styles.head}>
        <tr>
          <th scope="col">{t('failures.column-cause', 'Cause')}</th>
          <th scope="col" className={styles.number} aria-sort={sorted('count')}>
            {t('failures.column-count', 'Failures')}
          </th>
          <th scope="col">{t('failures.column-trend', 'Trend')}</th>
          <th scope="col" aria-sort={sorted('last')}>
            {t('failures.column-last', 'Last seen')}
          </th>
          {wide && (
            <th scope="col" aria-sort={sorted('new')}>
              {t('failures.column-first', 'First seen')}
            </th>
          )}
          {wide && <th scope="col">{t('failures.column-names', 'Tasks')}</th>}
        </tr>
      </thead>
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  head: css({
    th: {
      position: 'sticky',
      top: 0,
      zIndex: 1,
      padding: theme.spacing(0.5, 1),
      background: theme.colors.background.primary,
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
    },
  }),
  number: css({ textAlign: 'right' }),
});
