import { BrokerUnavailable } from '../core/control/command.ts';
import type { ControlChannel, TaskQueues } from './port.ts';

const away = (): Promise<never> => Promise.reject(new BrokerUnavailable('the broker takes no commands at the moment'));

/** Of a broker that takes no commands. */
export const NO_CONTROL: ControlChannel = { cast: away, call: away };
export const NO_TASKS: TaskQueues = { publish: away, depths: away, names: away, findMessage: away };
