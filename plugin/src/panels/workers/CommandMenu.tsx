import { css } from '@emotion/css';
import { t } from '@grafana/i18n';
import { Button, Dropdown, IconButton, type IconName, Menu, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { Command } from '../../shared/actions/ConfirmCommand';
import { refusalFor } from '../../shared/permissions';
import type { CommandTable } from './useCommands';

interface CommandMenuProps {
  readonly commands: CommandTable;
  /** Of the button, e.g. "Actions for 3 workers" */
  readonly label: string;
  /** Why nothing can be sent now */
  readonly disabledReason?: string;
  /** The picture alone, for table rows */
  readonly iconOnly?: boolean;
  readonly onChoose: (command: Command) => void;
}

const GROUPS: ReadonlyArray<ReadonlyArray<readonly [method: string, icon: IconName]>> = [
  [
    ['pool_grow', 'plus-circle'],
    ['pool_shrink', 'minus-circle'],
    ['pool_restart', 'sync'],
    ['autoscale', 'arrows-v'],
  ],
  [
    ['add_consumer', 'plus'],
    ['cancel_consumer', 'minus'],
  ],
  [
    ['rate_limit', 'tachometer-fast'],
    ['time_limit', 'stopwatch'],
  ],
  [
    ['enable_events', 'bell'],
    ['disable_events', 'bell-slash'],
    ['heartbeat', 'heart-rate'],
  ],
  [['shutdown', 'power']],
];

/** What can be ordered of workers. What may not be stays in its place and says why. */
export function CommandMenu({ commands, label, disabledReason, iconOnly = false, onChoose }: CommandMenuProps) {
  const styles = useStyles2(getStyles);
  const reason =
    disabledReason ??
    readOnlyReason(commands) ??
    (commands.byMethod.size === 0 ? t('workers.menu.loading', 'The agent has not told its commands yet.') : undefined);
  const menu = () => (
    <Menu ariaLabel={label}>
      {GROUPS.map((group, index) => (
        <React.Fragment key={group[0]?.[0] ?? index}>
          {index > 0 && <Menu.Divider />}
          {group.map(([method, icon]) => {
            const command = commands.byMethod.get(method);
            return command === undefined ? null : (
              <CommandItem key={method} command={command} icon={icon} onChoose={onChoose} />
            );
          })}
        </React.Fragment>
      ))}
    </Menu>
  );
  if (iconOnly) {
    return (
      <Dropdown overlay={menu} placement="bottom-end">
        <IconButton
          name="ellipsis-v"
          className={styles.icon}
          tooltip={reason === undefined ? label : `${label}: ${reason}`}
          disabled={reason !== undefined}
        />
      </Dropdown>
    );
  }
  return (
    <Dropdown overlay={menu} placement="bottom-end">
      <Button size="sm" variant="secondary" icon="bolt" disabled={reason !== undefined} tooltip={reason}>
        {label}
      </Button>
    </Dropdown>
  );
}

interface CommandItemProps {
  readonly command: Command;
  readonly icon: IconName;
  readonly onChoose: (command: Command) => void;
}

function CommandItem({ command, icon, onChoose }: CommandItemProps) {
  const refusal = refusalFor(command.role);
  return (
    <Menu.Item
      label={command.title}
      icon={icon}
      destructive={command.destructive}
      disabled={refusal !== undefined}
      description={refusal}
      onClick={() => onChoose(command)}
    />
  );
}

export function readOnlyReason({ readOnly }: CommandTable): string | undefined {
  return readOnly ? t('workers.menu.read-only', 'The agent runs with --read-only: nobody may act.') : undefined;
}

const getStyles = () => ({ icon: css({ verticalAlign: 'middle' }) });
