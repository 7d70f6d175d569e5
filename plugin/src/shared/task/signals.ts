/** Signals that a worker can send to the process of a task; the first is the usual one (as in `/api/v1/commands`). */
export const SIGNALS = [
  'SIGTERM',
  'SIGKILL',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGABRT',
  'SIGALRM',
] as const;
