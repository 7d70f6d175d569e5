import { t } from '@grafana/i18n';
import React, { useEffect, useMemo, useState } from 'react';
import { switchMap, timer } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { CommandOutcome, Commands, Target } from '../api';
import { messageOf } from '../ui/Answers';
import { CommandFields } from './CommandFields';
import { type FieldTexts, initialTexts, readFields } from './commandModel';
import { ConfirmAction } from './ConfirmAction';

export type Command = Commands['commands'][number];

export interface ConfirmCommandProps {
  readonly source: CeleryDataSource;
  /** Of `client.commands()` */
  readonly command: Command;
  readonly target: Target;
  /** Arguments that are settled; the rest of the command's parameters are asked for */
  readonly args?: Readonly<Record<string, unknown>>;
  /** What stands in the fields at first */
  readonly suggested?: Readonly<Record<string, unknown>>;
  /** Parameters to ask for; default all that `args` does not settle */
  readonly ask?: readonly string[];
  readonly onClose: () => void;
}

const NO_ARGUMENTS: Readonly<Record<string, unknown>> = {};

/**
 * An order to workers: asks for its arguments, lets the agent say what will happen and to whom (`dryRun`), sends it, and
 * shows the answers.
 */
export function ConfirmCommand({
  source,
  command,
  target,
  args = NO_ARGUMENTS,
  suggested,
  ask,
  onClose,
}: ConfirmCommandProps) {
  const parameters = useMemo(
    () => command.parameters.filter(({ name }) => !(name in args) && (ask === undefined || ask.includes(name))),
    [command, args, ask],
  );
  const [texts, setTexts] = useState<FieldTexts>(() => initialTexts(parameters, suggested));
  const { args: typed, problems } = useMemo(() => readFields(parameters, texts), [parameters, texts]);
  const all = useMemo(() => ({ ...args, ...typed }), [args, typed]);
  const preview = usePreview(source, command.method, target, all, problems.length === 0);
  const firstProblem = problems[0]?.message;
  return (
    <ConfirmAction
      title={command.title}
      confirmLabel={command.title}
      destructive={command.destructive}
      typed={command.method === 'shutdown' ? 'shutdown' : undefined}
      blocked={firstProblem ?? preview.problem}
      run={() => source.client.command(command.method, target, all)}
      onSent={() => source.refresh()}
      onClose={onClose}
    >
      <CommandFields parameters={parameters} texts={texts} problems={problems} onChange={setTexts} />
      <p role="status">{preview.problem ?? preview.outcome?.says ?? command.says}</p>
      {preview.outcome !== undefined && <Reached outcome={preview.outcome} />}
    </ConfirmAction>
  );
}

function Reached({ outcome: { workers } }: { readonly outcome: CommandOutcome }) {
  if (workers.length === 0) {
    return <p>{t('confirm.nobody', 'No worker that is known would be reached.')}</p>;
  }
  return (
    <p>
      {t('confirm.reached', 'Reaches {{count}} worker(s): {{names}}', {
        count: workers.length,
        names: listed(workers),
      })}
    </p>
  );
}

const MOST_NAMES = 10;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES
    ? t('confirm.and-more', '{{names}} and {{count}} more', { names: shown, count: names.length - MOST_NAMES })
    : shown;
}

interface Preview {
  readonly outcome?: CommandOutcome;
  readonly problem?: string;
}

const PAUSE_MS = 250;
const NOTHING: Preview = {};

function usePreview(
  source: CeleryDataSource,
  method: string,
  target: Target,
  args: Readonly<Record<string, unknown>>,
  valid: boolean,
): Preview {
  // By content: callers may well write the target anew for each render.
  const key = valid ? JSON.stringify([target, args]) : undefined;
  const [preview, setPreview] = useState<Preview & { readonly of?: string }>(NOTHING);
  useEffect(() => {
    if (key === undefined) {
      return undefined;
    }
    const [wanted, given] = JSON.parse(key) as [Target, Record<string, unknown>];
    const subscription = timer(PAUSE_MS)
      .pipe(switchMap(() => source.client.command(method, wanted, given, { dryRun: true })))
      .subscribe({
        next: (outcome) => setPreview({ of: key, outcome }),
        error: (error: unknown) => setPreview({ of: key, problem: messageOf(error) }),
      });
    return () => subscription.unsubscribe();
  }, [source, method, key]);
  return preview.of === key ? preview : NOTHING;
}
