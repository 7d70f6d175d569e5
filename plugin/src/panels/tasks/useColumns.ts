import { t } from '@grafana/i18n';
import { useCallback, useState } from 'react';
import { type ColumnChoice, type ColumnId, moveColumn } from './columnModel';
import { columnTitle } from './columns';

/** The columns while one of them is dragged; saved once it is let go. */
export function useColumns(saved: readonly ColumnChoice[], onColumns: (columns: readonly ColumnChoice[]) => void) {
  const [draft, setDraft] = useState<readonly ColumnChoice[]>();
  const [told, setTold] = useState('');
  const columns = draft ?? saved;
  const setColumns = useCallback(
    (next: readonly ColumnChoice[], done: boolean) => {
      setDraft(done ? undefined : next);
      if (done) {
        onColumns(next);
      }
    },
    [onColumns],
  );
  const move = useCallback(
    (id: ColumnId, by: number) => {
      const next = moveColumn(columns, id, by);
      if (next !== columns) {
        setColumns(next, true);
        setTold(placeText(next, id));
      }
    },
    [columns, setColumns],
  );
  return {
    columns,
    setColumns,
    move,
    /** For readers: where the column stands that was moved last */
    told,
  };
}

function placeText(columns: readonly ColumnChoice[], id: ColumnId): string {
  return t('tasks.column-moved', '{{column}} is now column {{place}} of {{count}}.', {
    column: columnTitle(id),
    place: columns.findIndex((column) => column.id === id) + 1,
    count: columns.length,
  });
}
