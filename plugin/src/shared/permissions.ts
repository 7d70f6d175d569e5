import { config } from '@grafana/runtime';

export type Role = 'viewer' | 'editor' | 'admin';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, editor: 1, admin: 2 };
const NAMES: Readonly<Record<Role, string>> = { viewer: 'Viewer', editor: 'Editor', admin: 'Admin' };

/** The user's role in the Grafana organisation: what the routes of the data source ask for, and the agent once more. */
export function currentRole(): Role {
  switch (config.bootData?.user?.orgRole) {
    case 'Admin':
      return 'admin';
    case 'Editor':
      return 'editor';
    default:
      return 'viewer';
  }
}

/** Why the user may not do what needs `role`; undefined when he may. */
export function refusalFor(role: Role, actual: Role = currentRole()): string | undefined {
  return RANK[actual] >= RANK[role] ? undefined : `Needs the role ${NAMES[role]}; you are ${NAMES[actual]}.`;
}
