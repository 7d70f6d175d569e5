import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import { type Command, ConfirmCommand } from '../../../shared/actions/ConfirmCommand';
import { DASHBOARD_VARIABLES } from '../../../shared/ids';
import { NoRows } from '../../../shared/ui/Answers';
import { BoardLink } from '../../../shared/ui/BoardLink';
import { SearchBox } from '../../../shared/ui/SearchBox';
import { getStyles } from './FactTable';
import { InspectView } from './InspectView';
import { OrderButton } from './OrderButton';
import { readRegistered, type RegisteredTask } from './replies';
import type { TabProps } from './tabs';
import { useInspect } from './useInspect';

interface Order {
  readonly command: Command;
  readonly task: RegisteredTask;
}

const LIMITS = [
  ['rate_limit', 'tachometer-fast'],
  ['time_limit', 'stopwatch'],
] as const;

/** The tasks that the worker knows, with what limits it may be given. */
export function RegisteredTab({ source, hostname, commands, range }: TabProps) {
  const styles = useStyles2(getStyles);
  const [inspection, ask] = useInspect(source, 'registered', hostname);
  const [search, setSearch] = useState('');
  const [order, setOrder] = useState<Order>();
  return (
    <InspectView inspection={inspection} onAsk={ask}>
      {(reply) => {
        const tasks = readRegistered(reply).filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));
        return (
          <>
            <SearchBox
              value={search}
              onChange={setSearch}
              label={t('worker.search-tasks', 'Search tasks')}
              placeholder={t('worker.search-tasks', 'Search tasks')}
            />
            {tasks.length === 0 && <NoRows title={t('worker.no-registered', 'No task is like that.')} />}
            <table className={styles.table} aria-label={t('worker.registered', 'Registered tasks')}>
              <thead>
                <tr>
                  <th>{t('worker.task', 'Task')}</th>
                  <th>{t('worker.rate-limit', 'Rate limit')}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {tasks.map((task) => (
                  <tr key={task.name}>
                    <td>
                      <BoardLink
                        uid={source.uid}
                        board="tasks"
                        variables={{ [DASHBOARD_VARIABLES.task]: task.name }}
                        range={range}
                      >
                        {task.name}
                      </BoardLink>
                    </td>
                    <td>{task.rateLimit ?? ''}</td>
                    <td>
                      <span style={{ display: 'inline-flex' }}>
                        {LIMITS.map(([method, icon]) => (
                          <OrderButton
                            key={method}
                            {...{ commands, method, icon }}
                            label={({ title }) => `${title}: ${task.name}`}
                            onOrder={(command) => setOrder({ command, task })}
                          />
                        ))}
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {order !== undefined && (
              <ConfirmCommand
                source={source}
                command={order.command}
                target={{ workers: [hostname] }}
                args={{ task_name: order.task.name }}
                suggested={order.command.method === 'rate_limit' ? { rate_limit: order.task.rateLimit } : undefined}
                onClose={() => {
                  setOrder(undefined);
                  ask();
                }}
              />
            )}
          </>
        );
      }}
    </InspectView>
  );
}
