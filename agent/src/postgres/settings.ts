/** Settings of the embedded server, for one writer and a few readers beside it on a small machine. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '', // a local socket only
  port: '5432',
  max_connections: '30',
  shared_buffers: '96MB',
  work_mem: '16MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '512MB',
  random_page_cost: '1.5',
  jit: 'off', // its compilation costs more than these queries
  io_method: 'sync', // no further processes for a data set that is mostly cached
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  wal_compression: 'off', // these builds have pglz only, which costs more time than the bytes saved
  synchronous_commit: 'on',
  autovacuum_naptime: '20s',
  autovacuum_vacuum_scale_factor: '0.05',
  autovacuum_vacuum_insert_scale_factor: '0.1',
  autovacuum_analyze_scale_factor: '0.05',
  autovacuum_vacuum_cost_limit: '1000',
  max_worker_processes: '4',
  max_parallel_workers: '2',
  max_parallel_workers_per_gather: '1',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_line_prefix: '',
  logging_collector: 'off',
  log_min_messages: 'warning',
  log_statement: 'none',
  log_min_error_statement: 'panic', // statements hold arguments and results of tasks
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
};

/** Name of the superuser and of the database. */
export const DATABASE = 'umbel';

/** Command line of the server. */
export function serverArguments(pgData: string, socketDirectory: string): string[] {
  const settings = {
    ...SETTINGS,
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
  };
  return ['-D', pgData, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Command line of initdb. The builtin locale needs none of the system and sorts by code point. */
export function initArguments(pgData: string): string[] {
  return [
    `--pgdata=${pgData}`,
    `--username=${DATABASE}`,
    '--auth=trust', // the socket's directory is open to its owner only
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
  ];
}

/** For a client on the socket. */
export function databaseUrl(socketDirectory: string, database = DATABASE): string {
  return `postgres://${DATABASE}@/${database}?host=${encodeURIComponent(socketDirectory)}`;
}
