import { css } from '@emotion/css';
import type { GrafanaTheme2, RawTimeRange } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { boardUrl } from '../boardUrl';
import type { DASHBOARD_UIDS } from '../ids';

export interface BoardLinkProps {
  /** Of the data source, which the dashboard shows too; undefined while it is not known: the text alone */
  readonly uid: string | undefined;
  readonly board: keyof typeof DASHBOARD_UIDS;
  readonly variables: Readonly<Record<string, string>>;
  readonly range?: RawTimeRange;
  readonly title?: string;
  readonly children: React.ReactNode;
}

/** A link to a dashboard of the app that keeps data source, time range and variables. */
export function BoardLink({ uid, board, variables, range, title, children }: BoardLinkProps) {
  const styles = useStyles2(getStyles);
  if (uid === undefined) {
    return <span title={title}>{children}</span>;
  }
  return (
    <a
      className={styles.link}
      href={boardUrl(uid, board, variables, range)}
      title={title}
      onClick={(event) => event.stopPropagation()}
    >
      {children}
    </a>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  link: css({
    color: 'inherit',
    '&:hover, &:focus-visible': { color: theme.colors.text.link, textDecoration: 'underline' },
  }),
});
