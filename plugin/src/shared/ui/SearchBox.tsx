import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { t, Trans } from '@grafana/i18n';
import { IconButton, Input, Toggletip, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';

export interface SearchBoxProps {
  readonly value: string;
  /** Called once the typing pauses, and at once on Enter or when it is emptied. */
  readonly onChange: (text: string) => void;
  readonly label: string;
  readonly placeholder?: string;
  /** What the agent does not like about it */
  readonly problem?: string;
  /** Flower's syntax behind a question mark */
  readonly help?: boolean;
  readonly width?: number;
}

const PAUSE_MS = 300;

/** A text to look for. What was typed stays while the answer is awaited. */
export function SearchBox({ value, onChange, label, placeholder, problem, help = false, width }: SearchBoxProps) {
  const [typed, setTyped] = useState({ text: value, over: value });
  // A value set from outside wins over what was typed before it.
  const text = typed.over === value ? typed.text : value;
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);

  const say = (next: string, pauseMs: number) => {
    setTyped({ text: next, over: value });
    clearTimeout(timer.current);
    if (pauseMs === 0) {
      onChange(next);
    } else {
      timer.current = setTimeout(() => onChange(next), pauseMs);
    }
  };

  return (
    <Input
      type="search"
      aria-label={label}
      aria-invalid={problem !== undefined}
      title={problem}
      invalid={problem !== undefined}
      placeholder={placeholder}
      value={text}
      width={width}
      onChange={(event) => say(event.currentTarget.value, event.currentTarget.value === '' ? 0 : PAUSE_MS)}
      onKeyDown={(event) => event.key === 'Enter' && say(text, 0)}
      suffix={help ? <SearchHelp /> : undefined}
    />
  );
}

const EXAMPLES = [
  'state:FAILURE name:import',
  'worker:celery@web-1',
  'kwargs:user_id=42',
  '"connection reset" OR timeout',
  '(name:a OR name:b) state:RETRY',
];

function SearchHelp() {
  const styles = useStyles2(getStyles);
  const help = (
    <div className={styles.help}>
      <p>
        <Trans i18nKey="search.help">
          As in Flower: words are looked for in the id, the name, the arguments, the result and the worker; all of them
          must be found. A word before a colon says where to look: name, state, worker, args, kwargs, result. AND, OR
          and brackets combine, quotes keep a phrase together.
        </Trans>
      </p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example}>
            <code>{example}</code>
          </li>
        ))}
      </ul>
    </div>
  );
  return (
    <Toggletip content={help} title={t('search.help-title', 'Search syntax')} placement="bottom-end">
      <IconButton name="question-circle" tooltip={t('search.help-tooltip', 'Search syntax')} />
    </Toggletip>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  help: css({ maxWidth: 360, ul: { listStyle: 'none' }, li: { padding: theme.spacing(0.25, 0) } }),
});
