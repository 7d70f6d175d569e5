import { useEffect, useState } from 'react';
import { forkJoin } from 'rxjs';
import type { Command } from '../../shared/actions/ConfirmCommand';
import type { CeleryDataSource } from '../../datasource/datasource';

export interface CommandTable {
  /** By Celery's name, as the agent describes them; empty while they are not known */
  readonly byMethod: ReadonlyMap<string, Command>;
  /** Nobody may act, whatever his role */
  readonly readOnly: boolean;
}

export const NO_COMMANDS: CommandTable = { byMethod: new Map(), readOnly: false };

/** The commands that workers take. @param source undefined: none is offered */
export function useCommands(source: CeleryDataSource | undefined): CommandTable {
  const [table, setTable] = useState(NO_COMMANDS);
  useEffect(() => {
    if (source === undefined) {
      return undefined;
    }
    const { client } = source;
    const subscription = forkJoin({ answer: client.commands(), me: client.me() }).subscribe({
      next: ({ answer, me }) =>
        setTable({
          byMethod: new Map(answer.commands.map((command) => [command.method, command])),
          readOnly: me.readOnly,
        }),
      // Without the table there is nothing to offer; what the panel shows stays.
      error: () => setTable(NO_COMMANDS),
    });
    return () => subscription.unsubscribe();
  }, [source]);
  return source === undefined ? NO_COMMANDS : table;
}
