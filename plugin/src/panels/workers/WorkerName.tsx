import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import type { WorkerRow } from './model';

interface WorkerNameProps {
  readonly row: WorkerRow;
  readonly onOpen: (hostname: string) => void;
}

/** The way to a worker's details for the keyboard; a click anywhere on the row does the same. */
export function WorkerName({ row: { hostname }, onOpen }: WorkerNameProps) {
  const styles = useStyles2(getStyles);
  return (
    <button
      type="button"
      className={styles.name}
      title={hostname}
      onClick={(event) => {
        event.stopPropagation();
        onOpen(hostname);
      }}
    >
      {hostname}
    </button>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  name: css({
    padding: 0,
    border: 'none',
    background: 'none',
    color: theme.colors.text.link,
    font: 'inherit',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    '&:hover': { textDecoration: 'underline' },
  }),
});
