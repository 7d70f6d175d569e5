import { t } from '@grafana/i18n';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';
import { ActionButton } from '../../../shared/actions/ActionButton';
import { type Command, ConfirmCommand } from '../../../shared/actions/ConfirmCommand';
import { DASHBOARD_VARIABLES } from '../../../shared/ids';
import { BoardLink } from '../../../shared/ui/BoardLink';
import { readOnlyReason } from '../CommandMenu';
import { getStyles } from './FactTable';
import { InspectView } from './InspectView';
import { readQueues } from './replies';
import type { TabProps } from './tabs';
import { useInspect } from './useInspect';

interface Order {
  readonly command: Command;
  readonly queue?: string;
}

/** The queues that the worker takes messages from. */
export function QueuesTab({ source, hostname, commands, range }: TabProps) {
  const styles = useStyles2(getStyles);
  const [inspection, ask] = useInspect(source, 'active_queues', hostname);
  const [order, setOrder] = useState<Order>();
  const [add, cancel] = [commands.byMethod.get('add_consumer'), commands.byMethod.get('cancel_consumer')];
  return (
    <InspectView
      inspection={inspection}
      onAsk={ask}
      actions={
        add !== undefined && (
          <ActionButton
            role={add.role}
            icon="plus"
            label={t('worker.add-queue', 'Consume a queue')}
            disabledReason={readOnlyReason(commands)}
            onClick={() => setOrder({ command: add })}
          />
        )
      }
    >
      {(reply) => (
        <>
          <table className={styles.table} aria-label={t('worker.queues', 'Queues it consumes')}>
            <thead>
              <tr>
                <th>{t('worker.queue', 'Queue')}</th>
                <th>{t('worker.exchange', 'Exchange')}</th>
                <th>{t('worker.routing-key', 'Routing key')}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {readQueues(reply).map(({ name, exchange, exchangeType, routingKey }) => (
                <tr key={name}>
                  <td>
                    <BoardLink
                      uid={source.uid}
                      board="queues"
                      variables={{ [DASHBOARD_VARIABLES.queue]: name }}
                      range={range}
                    >
                      {name}
                    </BoardLink>
                  </td>
                  <td>{[exchange, exchangeType].filter((text) => text !== undefined && text !== '').join(', ')}</td>
                  <td>{routingKey}</td>
                  <td>
                    {cancel !== undefined && (
                      <ActionButton
                        iconOnly
                        role={cancel.role}
                        icon="times"
                        variant="destructive"
                        label={t('worker.cancel-queue', 'Stop consuming {{name}}', { name })}
                        disabledReason={readOnlyReason(commands)}
                        onClick={() => setOrder({ command: cancel, queue: name })}
                      />
                    )}
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
              args={order.queue === undefined ? undefined : { queue: order.queue }}
              onClose={() => {
                setOrder(undefined);
                ask();
              }}
            />
          )}
        </>
      )}
    </InspectView>
  );
}
