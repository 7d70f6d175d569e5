import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, useStyles2 } from '@grafana/ui';
import React from 'react';
import { ActionButton } from '../../shared/actions/ActionButton';
import type { BulkKind } from '../../shared/bulk/bulkFlow';
import { formatCount } from '../../shared/ui/format';
import { isFinished } from '../../shared/ui/stateLook';
import type { Row } from './held';
import type { Selection } from './selection';
import type { Answer } from './taskRows';

export interface SelectionBarProps {
  readonly selection: Selection;
  readonly rows: readonly Row[];
  readonly total: Answer['total'];
  readonly onWhole: () => void;
  readonly onClear: () => void;
  readonly onBulk: (kind: BulkKind) => void;
}

/** What can be done with the chosen tasks. */
export function SelectionBar({ selection, rows, total, onWhole, onClear, onBulk }: SelectionBarProps) {
  const styles = useStyles2(getStyles);
  const chosen = rows.filter(({ taskId }) => selection.ids.has(taskId));
  const open = chosen.filter(({ state }) => !isFinished(state)).length;
  const again = chosen.filter(({ state, orphaned }) => isFinished(state) || typeof orphaned === 'string').length;
  const { whole } = selection;
  const noneOpen = whole || open > 0 ? undefined : t('tasks.none-open', 'All of them have ended.');
  const noneEnded = whole || again > 0 ? undefined : t('tasks.none-ended', 'None of them has ended yet.');
  const hasMore = total === undefined || !total.exact || total.count > selection.ids.size;
  return (
    <div className={styles.bar} role="toolbar" aria-label={t('tasks.selection', 'Selected tasks')}>
      <span role="status">{selectionText(selection, total)}</span>
      {!whole && hasMore && (
        <Button variant="secondary" fill="text" size="sm" onClick={onWhole}>
          {t('tasks.select-whole', 'Select all that match')}
        </Button>
      )}
      <ActionButton
        role="editor"
        icon="ban"
        label={t('tasks.bulk-revoke', 'Revoke…')}
        disabledReason={noneOpen}
        onClick={() => onBulk('revoke')}
      />
      <ActionButton
        role="editor"
        icon="bolt"
        label={t('tasks.bulk-terminate', 'Terminate…')}
        disabledReason={noneOpen}
        onClick={() => onBulk('terminate')}
      />
      <ActionButton
        role="editor"
        icon="repeat"
        label={t('tasks.bulk-retry', 'Retry…')}
        disabledReason={noneEnded}
        onClick={() => onBulk('retry')}
      />
      <Button variant="secondary" fill="text" size="sm" onClick={onClear}>
        {t('tasks.clear', 'Clear selection')}
      </Button>
    </div>
  );
}

export function selectionText({ ids, whole }: Selection, total: Answer['total']): string {
  if (!whole) {
    return t('tasks.selected', '{{count}} selected', { count: ids.size });
  }
  const all = total === undefined ? '' : ` (${formatCount(total.count)}${total.exact ? '' : '+'})`;
  return t('tasks.selected-whole', 'All that match are selected{{all}}', { all });
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({
    display: 'flex',
    alignItems: 'center',
    flexWrap: 'wrap',
    gap: theme.spacing(1),
    padding: theme.spacing(0.5, 1),
    marginBottom: theme.spacing(1),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
  }),
});
