import type { BasicUser, NamedToken } from '../core/identity/credentials.ts';
import type { Role } from '../core/identity/principal.ts';
import { option } from './option.ts';
import { duration, flag, matching, oneOf, optional, text } from './value-types.ts';
import { hosts, origins, roles, tokens, users } from './value-types-access.ts';
import { words } from './value-types-lists.ts';

const HTTP_URL = /^https?:\/\/[^\s@]+$/;
const url = optional(matching('URL', HTTP_URL, 'a URL like https://login.example/realms/main, without a password'));

/** How the port is reached; a part of the section HTTP. */
export const HTTP_SECURITY = {
  certfile: option<string | undefined>({
    name: 'certfile',
    env: ['FLOWER_CERTFILE'],
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    doc: "The server's certificate, PEM: with it the port speaks HTTPS.",
  }),
  keyfile: option<string | undefined>({
    name: 'keyfile',
    env: ['FLOWER_KEYFILE'],
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    doc: 'Private key of that certificate, PEM.',
  }),
  caCerts: option<string | undefined>({
    name: 'ca-certs',
    env: ['FLOWER_CA_CERTS'],
    type: optional(text('FILE')),
    default: undefined,
    isFile: true,
    doc: 'Clients must show a certificate of one of these authorities, PEM.',
  }),
  xheaders: option({
    name: 'xheaders',
    env: ['FLOWER_XHEADERS'],
    type: flag,
    default: false,
    doc: 'One proxy stands in front: the address, host and scheme that it tells (X-Forwarded-…) count.',
  }),
  unixSocket: option({
    name: 'unix-socket',
    env: ['FLOWER_UNIX_SOCKET'],
    type: text('FILE'),
    default: '',
    defaultDoc: 'none',
    doc: 'Listens on this Unix socket instead of --address and --port.',
  }),
  allowedHosts: option<readonly string[]>({
    name: 'allowed-hosts',
    type: hosts,
    default: [],
    doc: 'Names, besides localhost and IP addresses, by which those without credentials may ask for a loopback agent.',
  }),
  corsOrigins: option<readonly string[]>({
    name: 'cors-origins',
    type: origins,
    default: [],
    doc: 'Origins whose pages may use the API, e.g. https://grafana.example; the plugin needs none.',
  }),
};

/** Who may do what. */
export const ACCESS = {
  basicAuth: option<readonly BasicUser[]>({
    name: 'basic-auth',
    env: ['FLOWER_BASIC_AUTH'],
    type: users,
    default: [],
    hide: 'secret',
    doc: 'Users with their passwords, plain or hashed (bcrypt, or scrypt as --hash-password prints it).',
  }),
  basicAuthRoles: option<ReadonlyMap<string, Role>>({
    name: 'basic-auth-roles',
    type: roles,
    default: new Map(),
    doc: "Roles of those users, e.g. alice=viewer,bob=editor; others are admins, as Flower's users may do everything.",
  }),
  tokens: option<readonly NamedToken[]>({
    name: 'tokens',
    aliases: ['token'],
    type: tokens,
    default: [],
    hide: 'secret',
    doc: 'Bearer tokens as name:role:token, or a JSON list of {"name", "role", "token"}; a token may be sha256:HEX.',
  }),
  oidcIssuer: option<string | undefined>({
    name: 'oidc-issuer',
    type: url,
    default: undefined,
    doc: 'OpenID provider whose JWTs are taken as bearer tokens, exactly as in their claim iss.',
  }),
  oidcAudience: option<readonly string[]>({
    name: 'oidc-audience',
    type: words,
    default: [],
    doc: 'What their claim aud must hold one of; required with --oidc-issuer.',
  }),
  oidcJwksUri: option<string | undefined>({
    name: 'oidc-jwks-uri',
    type: url,
    default: undefined,
    defaultDoc: "what the issuer's /.well-known/openid-configuration says",
    doc: "Where the provider's public keys are.",
  }),
  oidcAlgorithms: option<readonly string[]>({
    name: 'oidc-algorithms',
    type: words,
    default: [],
    defaultDoc: 'every signature by a key pair',
    doc: 'Algorithms of their signatures, e.g. RS256; shared secrets (HS256) and none are never taken.',
  }),
  oidcClockToleranceMs: option({
    name: 'oidc-clock-tolerance',
    type: duration('s', 0, 300_000),
    default: 30_000,
    doc: "How far the provider's clock may be off.",
  }),
  oidcRoleClaim: option({
    name: 'oidc-role-claim',
    type: text('PATH'),
    default: 'roles',
    doc: 'Claim with the roles, e.g. realm_access.roles or groups.',
  }),
  oidcRoles: option<ReadonlyMap<string, Role>>({
    name: 'oidc-roles',
    type: roles,
    default: new Map<string, Role>([
      ['umbel-viewer', 'viewer'],
      ['umbel-editor', 'editor'],
      ['umbel-admin', 'admin'],
    ]),
    doc: 'Which value of that claim stands for which role; the highest counts.',
  }),
  oidcDefaultRole: option<'none' | Role>({
    name: 'oidc-default-role',
    type: oneOf(['none', 'viewer', 'editor', 'admin']),
    default: 'none',
    doc: 'Role of a user whose token names none of them; none refuses.',
  }),
  grafanaUrl: option<string | undefined>({
    name: 'grafana-url',
    type: url,
    default: undefined,
    doc: "Grafana as the agent reaches it: its signed X-Grafana-Id then proves the user, whose role lowers the token's.",
  }),
  grafanaIssuer: option<string | undefined>({
    name: 'grafana-issuer',
    type: url,
    default: undefined,
    defaultDoc: 'not compared',
    doc: "Grafana's root_url, which its tokens must be of.",
  }),
  grafanaOrganisations: option<readonly string[]>({
    name: 'grafana-orgs',
    type: words,
    default: [],
    defaultDoc: 'all',
    doc: "Ids of Grafana's organisations whose users count.",
  }),
  anonymous: option<'auto' | 'none' | 'viewer'>({
    name: 'anonymous',
    type: oneOf(['auto', 'none', 'viewer']),
    default: 'auto',
    doc: 'What those without credentials may do: viewer reads, none nothing but health and metrics; auto is viewer on 127.0.0.1 as long as no sign-in is set up.',
  }),
  unauthenticatedApi: option({
    name: 'unauthenticated-api',
    env: ['FLOWER_UNAUTHENTICATED_API'],
    type: flag,
    default: false,
    doc: 'EVERYBODY WHO REACHES THE PORT IS AN ADMIN, from any page of any site, as long as no sign-in is set up. As in Flower.',
  }),
  readOnly: option({
    name: 'read-only',
    env: ['FLOWER_READ_ONLY'],
    type: flag,
    default: false,
    doc: 'Nobody may act on workers and tasks, whatever the role.',
  }),
  protectMetrics: option({
    name: 'protect-metrics',
    type: flag,
    default: false,
    doc: '/metrics needs a viewer; it is open otherwise, as in Flower.',
  }),
};
