import type { IconName } from '@grafana/ui';
import React from 'react';
import { ActionButton } from '../../../shared/actions/ActionButton';
import type { Command } from '../../../shared/actions/ConfirmCommand';
import { readOnlyReason } from '../CommandMenu';
import type { CommandTable } from '../useCommands';

interface OrderButtonProps {
  readonly commands: CommandTable;
  readonly method: string;
  readonly icon: IconName;
  readonly label: (command: Command) => string;
  readonly variant?: 'destructive';
  readonly onOrder: (command: Command) => void;
}

/** An order to the worker about a row of a table; nothing where the agent does not know it. */
export function OrderButton({ commands, method, icon, label, variant, onOrder }: OrderButtonProps) {
  const command = commands.byMethod.get(method);
  return command === undefined ? null : (
    <ActionButton
      iconOnly
      role={command.role}
      icon={icon}
      label={label(command)}
      disabledReason={readOnlyReason(commands)}
      {...(variant === undefined ? {} : { variant })}
      onClick={() => onOrder(command)}
    />
  );
}
