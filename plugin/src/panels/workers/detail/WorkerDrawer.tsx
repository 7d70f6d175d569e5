import type { RawTimeRange } from '@grafana/data';
import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { Drawer, Tab, TabContent, TabsBar } from '@grafana/ui';
import React, { useState } from 'react';
import type { Command } from '../../../shared/actions/ConfirmCommand';
import type { CeleryDataSource } from '../../../datasource/datasource';
import { DASHBOARD_VARIABLES } from '../../../shared/ids';
import { BoardLink } from '../../../shared/ui/BoardLink';
import { useReturnFocus } from '../../../shared/ui/useReturnFocus';
import { CommandMenu } from '../CommandMenu';
import type { WorkerRow } from '../model';
import { StatusBadge } from '../StatusBadge';
import type { CommandTable } from '../useCommands';
import { ConfTab, ReportTab, StatsTab } from './FactTabs';
import { EventsTab } from './EventsTab';
import { QueuesTab } from './QueuesTab';
import { RegisteredTab } from './RegisteredTab';
import type { TabProps } from './tabs';
import { TasksTab } from './TasksTab';

interface WorkerDrawerProps {
  readonly row: WorkerRow;
  readonly source: CeleryDataSource;
  /** Empty: the panel only shows */
  readonly commands: CommandTable;
  readonly nowMs: number;
  readonly range: RawTimeRange;
  readonly timeZone: TimeZone;
  readonly onCommand: (command: Command) => void;
  readonly onClose: () => void;
}

interface TabKind {
  readonly id: string;
  readonly title: string;
  readonly Body: React.ComponentType<TabProps>;
}

const tabKinds = (): TabKind[] => [
  { id: 'stats', title: t('worker.tab.stats', 'Statistics'), Body: StatsTab },
  { id: 'tasks', title: t('worker.tab.tasks', 'Tasks'), Body: TasksTab },
  { id: 'registered', title: t('worker.tab.registered', 'Registered'), Body: RegisteredTab },
  { id: 'queues', title: t('worker.tab.queues', 'Queues'), Body: QueuesTab },
  { id: 'conf', title: t('worker.tab.conf', 'Configuration'), Body: ConfTab },
  { id: 'report', title: t('worker.tab.report', 'Report'), Body: ReportTab },
  { id: 'events', title: t('worker.tab.events', 'Events'), Body: EventsTab },
];

/** All about one worker, as it answers now. */
export function WorkerDrawer(props: WorkerDrawerProps) {
  const { row, source, commands, nowMs, range, timeZone, onCommand, onClose } = props;
  const { hostname, status } = row;
  const kinds = tabKinds();
  const [open, setOpen] = useState('stats');
  useReturnFocus();
  const Body = kinds.find(({ id }) => id === open)?.Body ?? StatsTab;
  const tabs = (
    <TabsBar>
      {kinds.map(({ id, title }) => (
        <Tab key={id} label={title} active={id === open} onChangeTab={() => setOpen(id)} />
      ))}
    </TabsBar>
  );
  return (
    <Drawer
      title={hostname}
      size="md"
      tabs={tabs}
      onClose={onClose}
      subtitle={
        <div style={{ display: 'flex', alignItems: 'center', gap: 16 }}>
          <StatusBadge row={row} nowMs={nowMs} timeZone={timeZone} />
          <BoardLink
            uid={source.uid}
            board="worker"
            variables={{ [DASHBOARD_VARIABLES.worker]: hostname }}
            range={range}
          >
            {t('worker.dashboard', 'Dashboard')}
          </BoardLink>
          {commands.byMethod.size > 0 && (
            <CommandMenu
              commands={commands}
              label={t('worker.actions', 'Actions')}
              disabledReason={
                status === 'offline' ? t('workers.menu.offline', 'It is offline: it would not hear it.') : undefined
              }
              onChoose={onCommand}
            />
          )}
        </div>
      }
    >
      <TabContent>
        <Body key={open} source={source} hostname={hostname} commands={commands} range={range} timeZone={timeZone} />
      </TabContent>
    </Drawer>
  );
}
