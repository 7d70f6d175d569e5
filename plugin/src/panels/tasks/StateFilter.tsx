import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, Checkbox, Toggletip, useStyles2 } from '@grafana/ui';
import React from 'react';
import { StateBadge } from '../../shared/ui/StateBadge';
import { describeState, STATES } from '../../shared/ui/stateLook';

export interface StateFilterProps {
  readonly states: readonly string[];
  /** States of the app's own that were seen */
  readonly more: readonly string[];
  readonly onChange: (states: readonly string[]) => void;
}

export function StateFilter(props: StateFilterProps) {
  const { states } = props;
  const label =
    states.length === 0
      ? t('tasks.all-states', 'All states')
      : states.length > 2
        ? t('tasks.some-states', '{{count}} states', { count: states.length })
        : states.join(', ');
  return (
    <Toggletip content={<StateList {...props} />} title={t('tasks.states', 'States')} placement="bottom-start">
      <Button
        variant="secondary"
        size="sm"
        icon="filter"
        aria-label={t('tasks.states-label', 'States: {{label}}', { label })}
      >
        {label}
      </Button>
    </Toggletip>
  );
}

function StateList({ states, more, onChange }: StateFilterProps) {
  const styles = useStyles2(getStyles);
  const offered = [...STATES, ...[...new Set([...more, ...states])].filter((state) => !STATES.includes(state)).sort()];
  const toggle = (state: string) =>
    onChange(states.includes(state) ? states.filter((one) => one !== state) : [...states, state]);
  return (
    <ul className={styles.list}>
      {offered.map((state) => (
        <li key={state} className={styles.row}>
          <Checkbox value={states.includes(state)} aria-label={state} onChange={() => toggle(state)} />
          <span className={styles.name}>
            <StateBadge state={state} />
          </span>
          <span className={styles.text}>{describeState(state) ?? ''}</span>
        </li>
      ))}
      <li>
        <Button variant="secondary" fill="text" size="sm" disabled={states.length === 0} onClick={() => onChange([])}>
          {t('tasks.all-states', 'All states')}
        </Button>
      </li>
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none' }),
  row: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), padding: theme.spacing(0.25, 0) }),
  name: css({ width: 100 }),
  text: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
});
