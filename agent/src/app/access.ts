import type { Config } from '../config/config.ts';
import type { ListenOptions } from '../http/server.ts';
import type { IdentityOptions, OidcOptions } from '../identity/options.ts';

/** Who the agent knows, and by what. */
export function identityOptions({ access }: Config): IdentityOptions {
  const oidc = oidcOptions(access);
  const { grafanaUrl, grafanaIssuer, grafanaOrganisations } = access;
  return {
    users: access.basicAuth,
    userRoles: access.basicAuthRoles,
    tokens: access.tokens,
    anonymous: access.anonymous,
    unauthenticatedApi: access.unauthenticatedApi,
    ...(oidc !== undefined && { oidc }),
    ...(grafanaUrl !== undefined && {
      grafana: {
        url: grafanaUrl,
        ...(grafanaIssuer !== undefined && { issuer: grafanaIssuer }),
        ...(grafanaOrganisations.length > 0 && { organisations: grafanaOrganisations }),
      },
    }),
  };
}

function oidcOptions(access: Config['access']): OidcOptions | undefined {
  const { oidcIssuer, oidcJwksUri, oidcAlgorithms, oidcDefaultRole } = access;
  if (oidcIssuer === undefined) return undefined;
  return {
    issuer: oidcIssuer,
    audience: access.oidcAudience,
    clockToleranceMs: access.oidcClockToleranceMs,
    roleClaim: access.oidcRoleClaim,
    roles: access.oidcRoles,
    ...(oidcJwksUri !== undefined && { jwksUri: oidcJwksUri }),
    ...(oidcAlgorithms.length > 0 && { algorithms: oidcAlgorithms }),
    ...(oidcDefaultRole !== 'none' && { defaultRole: oidcDefaultRole }),
  };
}

/**
 * Where and how the HTTP server listens.
 *
 * @param readFile reads a PEM file as UTF-8; throws if it cannot
 */
export function listenOptions({ access, http }: Config, readFile: (path: string) => string): ListenOptions {
  const { certfile, keyfile, caCerts } = http;
  return {
    port: http.port,
    maxSubscribers: http.maxLiveStreams,
    address: http.address,
    urlPrefix: http.urlPrefix,
    unauthenticatedApi: access.unauthenticatedApi,
    readOnly: access.readOnly,
    protectMetrics: access.protectMetrics,
    corsOrigins: http.corsOrigins,
    allowedHosts: http.allowedHosts,
    trustProxy: http.xheaders,
    ...(http.unixSocket !== '' && { unixSocket: http.unixSocket }),
    ...(certfile !== undefined &&
      keyfile !== undefined && {
        tls: {
          cert: readFile(certfile),
          key: readFile(keyfile),
          ...(caCerts !== undefined && { clientCa: readFile(caCerts) }),
        },
      }),
  };
}
