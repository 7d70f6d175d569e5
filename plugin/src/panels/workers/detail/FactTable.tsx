import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import { NoRows } from '../../../shared/ui/Answers';
import { SearchBox } from '../../../shared/ui/SearchBox';
import type { Fact } from './replies';

/** Names and values, with a search. */
export function FactTable({ facts, label }: { readonly facts: readonly Fact[]; readonly label: string }) {
  const styles = useStyles2(getStyles);
  const [search, setSearch] = useState('');
  const wanted = search.toLowerCase();
  const shown = facts.filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(wanted));
  return (
    <>
      <SearchBox
        value={search}
        onChange={setSearch}
        label={t('worker.search', 'Search')}
        placeholder={t('worker.search', 'Search')}
      />
      {shown.length === 0 ? (
        <NoRows title={t('worker.nothing', 'Nothing is like that.')} />
      ) : (
        <table className={styles.table} aria-label={label}>
          <tbody>
            {shown.map(({ name, value }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

export const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    marginTop: theme.spacing(1),
    fontSize: theme.typography.bodySmall.fontSize,
    'th, td': {
      padding: theme.spacing(0.5, 1, 0.5, 0),
      borderBottom: `1px solid ${theme.colors.border.weak}`,
      verticalAlign: 'top',
      textAlign: 'left',
      overflowWrap: 'anywhere',
    },
    th: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    'th[scope=row]': { width: '40%' },
    'thead th': { fontWeight: theme.typography.fontWeightMedium },
  }),
});
