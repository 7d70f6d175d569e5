import { readFile } from 'node:fs/promises';
import net from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { TlsSettings } from './url-tls.ts';

/** A certificate or key file that the TLS settings name cannot be read. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
  readonly setting: string;
  readonly path: string;

  constructor(setting: string, path: string, cause: unknown) {
    super(`${setting} ${path} cannot be read`, { cause });
    this.setting = setting;
    this.path = path;
  }
}

/**
 * Celery's TLS settings as Node's. Files are read at every connect, so renewed certificates are taken up.
 * @throws TlsFileError
 */
export async function tlsOptions(settings: TlsSettings, host: string): Promise<ConnectionOptions> {
  const [caFile, cert, key] = await Promise.all([
    readPem('ssl_ca_certs', settings.caFile),
    readPem('ssl_certfile', settings.certFile),
    readPem('ssl_keyfile', settings.keyFile),
  ]);
  const ca = [caFile, settings.caData].filter((pem) => pem !== undefined);
  return {
    rejectUnauthorized: settings.verify,
    ...(net.isIP(host) === 0 && host !== '' && { servername: host }),
    ...(!settings.checkHostname && { checkServerIdentity: () => undefined }),
    ...(ca.length > 0 && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined ? { key } : cert !== undefined && { key: cert }),
    ...(settings.keyPassword !== undefined && { passphrase: settings.keyPassword }),
    ...(settings.ciphers !== undefined && { ciphers: settings.ciphers }),
  };
}

async function readPem(setting: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TlsFileError(setting, path, error);
  }
}
