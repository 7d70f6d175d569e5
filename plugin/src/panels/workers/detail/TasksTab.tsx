import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import { type Command, ConfirmCommand } from '../../../shared/actions/ConfirmCommand';
import { DASHBOARD_VARIABLES } from '../../../shared/ids';
import { BoardLink } from '../../../shared/ui/BoardLink';
import { formatInstant } from '../../../shared/ui/format';
import { getStyles } from './FactTable';
import { InspectView } from './InspectView';
import { OrderButton } from './OrderButton';
import { type HeldTask, readTasks } from './replies';
import type { TabProps } from './tabs';
import { useInspect } from './useInspect';

interface Order {
  readonly command: Command;
  readonly taskId: string;
}

/** What the worker has in its hands: running, fetched, and waiting for their time. */
export function TasksTab(props: TabProps) {
  const [order, setOrder] = useState<Order>();
  const sections = [
    { command: 'active', title: t('worker.active', 'Running'), none: t('worker.no-active', 'Nothing runs.') },
    {
      command: 'reserved',
      title: t('worker.reserved', 'Fetched, waiting for a free slot'),
      none: t('worker.no-reserved', 'Nothing is fetched ahead.'),
    },
    {
      command: 'scheduled',
      title: t('worker.scheduled', 'Fetched, waiting for their ETA'),
      none: t('worker.no-scheduled', 'Nothing waits for its time.'),
    },
  ];
  return (
    <>
      {sections.map((section) => (
        <Section key={section.command} {...props} {...section} onOrder={setOrder} />
      ))}
      {order !== undefined && (
        <ConfirmCommand
          source={props.source}
          command={order.command}
          target={EVERYBODY}
          args={{ task_id: order.taskId }}
          onClose={() => setOrder(undefined)}
        />
      )}
    </>
  );
}

/** A task that a worker gives back may come to any other. */
const EVERYBODY = { all: true } as const;

interface SectionProps extends TabProps {
  readonly command: string;
  readonly title: string;
  readonly none: string;
  readonly onOrder: (order: Order) => void;
}

function Section({ command, title, none, source, hostname, ...rest }: SectionProps) {
  const [inspection, ask] = useInspect(source, command, hostname);
  return (
    <section aria-label={title} style={{ marginBottom: 24 }}>
      <h5>{title}</h5>
      <InspectView inspection={inspection} onAsk={ask}>
        {(reply) => {
          const tasks = readTasks(reply);
          return tasks.length === 0 ? <p>{none}</p> : <TaskTable tasks={tasks} uid={source.uid} {...rest} />;
        }}
      </InspectView>
    </section>
  );
}

interface TaskTableProps extends Pick<SectionProps, 'commands' | 'range' | 'timeZone' | 'onOrder'> {
  readonly tasks: readonly HeldTask[];
  readonly uid: string;
}

function TaskTable({ tasks, uid, commands, range, timeZone, onOrder }: TaskTableProps) {
  const styles = useStyles2(getStyles);
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th>{t('worker.task', 'Task')}</th>
          <th>{t('worker.arguments', 'Arguments')}</th>
          <th>{t('worker.since', 'Started or due')}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {tasks.map((task) => (
          <tr key={task.id}>
            <td>
              <BoardLink
                uid={uid}
                board="task"
                variables={{ [DASHBOARD_VARIABLES.taskId]: task.id }}
                range={range}
                title={task.id}
              >
                {task.name}
              </BoardLink>
            </td>
            <td>{`${task.args} ${task.kwargs}`}</td>
            <td>{task.eta ?? (task.startedMs === undefined ? '' : formatInstant(task.startedMs, timeZone))}</td>
            <td>
              <TaskButtons task={task} commands={commands} onOrder={onOrder} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TaskButtons({
  task,
  commands,
  onOrder,
}: Pick<SectionProps, 'commands' | 'onOrder'> & { readonly task: HeldTask }) {
  const rest = {
    commands,
    variant: 'destructive' as const,
    onOrder: (command: Command) => onOrder({ command, taskId: task.id }),
  };
  const { name } = task;
  return (
    <span style={{ display: 'inline-flex' }}>
      <OrderButton {...rest} method="revoke" icon="ban" label={() => t('worker.revoke', 'Revoke {{name}}', { name })} />
      {task.startedMs !== undefined && (
        <OrderButton
          {...rest}
          method="terminate"
          icon="times-circle"
          label={() => t('worker.terminate', 'Terminate {{name}}', { name })}
        />
      )}
    </span>
  );
}
