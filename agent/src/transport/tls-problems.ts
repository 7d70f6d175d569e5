/**
 * What is wrong with a TLS handshake, as one sentence with the fix; undefined for a code that is not of TLS.
 *
 * @param schemes the broker's URL schemes, e.g. `amqp` and `amqps`
 */
export function describeTls(
  code: string,
  where: string,
  schemes: { readonly plain: string; readonly encrypted: string },
): string | undefined {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return `${where} does not speak TLS (${code}): use ${schemes.plain}:// instead of ${schemes.encrypted}://, or its TLS port.`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate of ${where} is for another host name: fix the URL's host or set ssl_check_hostname=false.`;
  }
  if (code === 'CERT_HAS_EXPIRED') return `The certificate of ${where} has expired: renew it.`;
  if (/CERT|SIGNATURE|ISSUER/.test(code) && !code.startsWith('ERR_SSL')) {
    return `The certificate of ${where} is not trusted (${code}): name its authority with ssl_ca_certs.`;
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL')) {
    return `The TLS handshake with ${where} failed (${code}): check certificates and ssl_ options.`;
  }
  return undefined;
}
