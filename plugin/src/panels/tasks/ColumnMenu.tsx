import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, Checkbox, IconButton, Toggletip, useStyles2 } from '@grafana/ui';
import React from 'react';
import { COLUMN_IDS, type ColumnChoice, moveColumn, toggleColumn } from './columnModel';
import { columnTitle } from './columns';

export interface ColumnMenuProps {
  readonly columns: readonly ColumnChoice[];
  readonly onChange: (columns: readonly ColumnChoice[]) => void;
}

export function ColumnMenu(props: ColumnMenuProps) {
  const hint = t('tasks.columns-hint', 'In the table: drag a header, or press Shift and an arrow key on it.');
  return (
    <Toggletip
      content={<ColumnList {...props} />}
      footer={hint}
      title={t('tasks.columns', 'Columns')}
      placement="bottom-end"
    >
      <Button variant="secondary" size="sm" icon="columns" aria-label={t('tasks.columns', 'Columns')} />
    </Toggletip>
  );
}

/** Which columns, and in which order; also in the panel's options. */
export function ColumnList({ columns, onChange }: ColumnMenuProps) {
  const styles = useStyles2(getStyles);
  const hidden = COLUMN_IDS.filter((id) => columns.every((column) => column.id !== id));
  return (
    <ul className={styles.list}>
      {columns.map(({ id }, place) => (
        <li key={id} className={styles.row}>
          <Checkbox
            label={columnTitle(id)}
            value
            onChange={() => onChange(toggleColumn(columns, id))}
            disabled={columns.length === 1}
          />
          <span>
            <IconButton
              name="arrow-up"
              disabled={place === 0}
              tooltip={t('tasks.column-up', 'Move {{column}} forward', { column: columnTitle(id) })}
              onClick={() => onChange(moveColumn(columns, id, -1))}
            />
            <IconButton
              name="arrow-down"
              disabled={place === columns.length - 1}
              tooltip={t('tasks.column-down', 'Move {{column}} back', { column: columnTitle(id) })}
              onClick={() => onChange(moveColumn(columns, id, 1))}
            />
          </span>
        </li>
      ))}
      {hidden.map((id) => (
        <li key={id} className={styles.row}>
          <Checkbox label={columnTitle(id)} value={false} onChange={() => onChange(toggleColumn(columns, id))} />
        </li>
      ))}
      <li>
        <Button variant="secondary" fill="text" size="sm" onClick={() => onChange([])}>
          {t('tasks.columns-reset', 'Usual columns')}
        </Button>
      </li>
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', minWidth: 240, maxHeight: 420, overflowY: 'auto' }),
  row: css({
    display: 'flex',
    justifyContent: 'space-between',
    alignItems: 'center',
    gap: theme.spacing(2),
    padding: theme.spacing(0.25, 0),
  }),
});
