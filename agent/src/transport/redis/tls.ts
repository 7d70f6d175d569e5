export { TlsFileError, tlsOptions } from '../tls-options.ts';
