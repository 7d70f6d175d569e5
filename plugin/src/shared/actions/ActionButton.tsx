import { Button, type ButtonProps, IconButton, type IconName } from '@grafana/ui';
import React from 'react';
import { refusalFor, type Role } from '../permissions';

export interface ActionButtonProps {
  /** What the action needs */
  readonly role: Role;
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  /** Why it makes no sense now, e.g. of a task that has ended; the role's reason goes first */
  readonly disabledReason?: string;
  readonly variant?: 'primary' | 'secondary' | 'destructive';
  readonly fill?: ButtonProps['fill'];
  readonly size?: 'xs' | 'sm' | 'md';
  /** The picture alone, for table rows */
  readonly iconOnly?: boolean;
}

/** A button for an action: one that may not be pressed stays in its place and says why, to the pointer and to readers. */
export function ActionButton({
  role,
  icon,
  label,
  onClick,
  disabledReason,
  variant = 'secondary',
  fill,
  size = 'sm',
  iconOnly = false,
}: ActionButtonProps) {
  const reason = refusalFor(role) ?? disabledReason;
  if (iconOnly) {
    const tooltip = reason === undefined ? label : `${label}: ${reason}`;
    return (
      <IconButton
        name={icon}
        size="md"
        variant={variant === 'destructive' ? 'destructive' : 'secondary'}
        tooltip={tooltip}
        aria-label={tooltip}
        aria-disabled={reason !== undefined}
        disabled={false}
        style={reason === undefined ? undefined : { opacity: 0.4, cursor: 'not-allowed' }}
        onClick={(event) => {
          event.stopPropagation();
          if (reason === undefined) {
            onClick();
          }
        }}
      />
    );
  }
  return (
    <Button
      icon={icon}
      variant={variant}
      fill={fill}
      size={size}
      disabled={reason !== undefined}
      tooltip={reason}
      onClick={onClick}
    >
      {label}
    </Button>
  );
}
