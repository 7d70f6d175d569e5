import { BrokerUrlError, shown } from './url-parts.ts';

/** TLS towards a broker; the names follow Celery's `ssl_*` keys. */
export interface TlsSettings {
  /** Whether the server's certificate must be valid. */
  readonly verify: boolean;
  readonly checkHostname: boolean;
  /** PEM file of the authorities to trust; the system's otherwise. */
  readonly caFile?: string;
  /** PEM text of the authorities to trust. */
  readonly caData?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly keyPassword?: string;
  readonly ciphers?: string;
}

/** kombu/connection.py: `rediss` with no ssl options means CERT_NONE. */
export const UNVERIFIED_TLS: TlsSettings = { verify: false, checkHostname: false };

const CERT_REQS: Readonly<Record<string, boolean>> = {
  CERT_REQUIRED: true,
  CERT_OPTIONAL: true,
  CERT_NONE: false,
  required: true,
  optional: true,
  none: false,
};

const KNOWN = [
  'ssl_cert_reqs',
  'ssl_ca_certs',
  'ssl_ca_data',
  'ssl_certfile',
  'ssl_keyfile',
  'ssl_password',
  'ssl_check_hostname',
  'ssl_ciphers',
];

/**
 * The `ssl_*` keys of a URL's query; undefined where it has none. Defaults as redis-py's `SSLConnection`:
 * with any key given, certificates are required unless `ssl_cert_reqs` says otherwise.
 * @throws BrokerUrlError for an unknown key or value.
 */
export function tlsFromQuery(query: ReadonlyMap<string, string>, position: number): TlsSettings | undefined {
  const keys = [...query.keys()].filter((key) => key.startsWith('ssl_'));
  if (keys.length === 0) return undefined;
  for (const key of keys) {
    if (KNOWN.includes(key)) continue;
    throw new BrokerUrlError(position, 'query', `"${shown(key)}" is not supported`, `use one of ${KNOWN.join(', ')}`);
  }
  const wanted = query.get('ssl_cert_reqs') ?? 'required';
  const verify = Object.hasOwn(CERT_REQS, wanted) ? CERT_REQS[wanted] : undefined;
  if (verify === undefined) {
    throw new BrokerUrlError(
      position,
      'query',
      `ssl_cert_reqs is "${shown(wanted)}"`,
      'use required, optional or none',
    );
  }
  return {
    verify,
    checkHostname: verify && query.get('ssl_check_hostname')?.toLowerCase() !== 'false',
    ...optional('caFile', query.get('ssl_ca_certs')),
    ...optional('caData', query.get('ssl_ca_data')),
    ...optional('certFile', query.get('ssl_certfile')),
    ...optional('keyFile', query.get('ssl_keyfile')),
    ...optional('keyPassword', query.get('ssl_password')),
    ...optional('ciphers', query.get('ssl_ciphers')),
  };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
