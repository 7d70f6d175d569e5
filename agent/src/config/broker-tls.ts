import type { TlsSettings } from '../transport/url-tls.ts';
import type { Config } from './config.ts';

/** Celery's `broker_use_ssl`; undefined where no option speaks of TLS, and the URL alone decides. */
export function brokerTls(broker: Config['broker']): TlsSettings | undefined {
  const { useSsl, sslCertReqs, sslCaCerts, sslCertfile, sslKeyfile, sslCheckHostname } = broker;
  const parts = [sslCertReqs, sslCaCerts, sslCertfile, sslKeyfile, sslCheckHostname];
  if (useSsl !== true && parts.every((part) => part === undefined)) return undefined;
  return {
    verify: sslCertReqs !== undefined ? sslCertReqs !== 'none' : sslCaCerts !== undefined,
    checkHostname: sslCheckHostname ?? false,
    ...(sslCaCerts !== undefined && { caFile: sslCaCerts }),
    ...(sslCertfile !== undefined && { certFile: sslCertfile }),
    ...(sslKeyfile !== undefined && { keyFile: sslKeyfile }),
  };
}
