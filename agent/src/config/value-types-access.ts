import {
  type BasicUser,
  CredentialsError,
  type NamedToken,
  parseRoles,
  parseTokens,
  parseUsers,
} from '../core/identity/credentials.ts';
import type { Role } from '../core/identity/principal.ts';
import { BadValueError, type ValueType } from './value-types.ts';

/** Users of basic authentication in Flower's form. An empty list, as Flower's default, means none. */
export const users: ValueType<readonly BasicUser[]> = {
  hint: 'USER:PASSWORD,…',
  isList: true,
  parse: (texts) => judged(() => parseUsers(texts.filter((text) => text.trim() !== '[]'))),
  show: (value) => (value.length === 0 ? 'none' : value.map(({ name }) => name).join(',')),
};

/** Bearer tokens, each with a name and a role. */
export const tokens: ValueType<readonly NamedToken[]> = {
  hint: 'NAME:ROLE:TOKEN,…',
  isList: true,
  parse: (texts) => judged(() => parseTokens(texts)),
  show: (value) => (value.length === 0 ? 'none' : value.map(({ name }) => name).join(',')),
};

/** What stands for which role. */
export const roles: ValueType<ReadonlyMap<string, Role>> = {
  hint: 'NAME=ROLE,…',
  isList: true,
  parse: (texts) => judged(() => parseRoles(texts)),
  show: (value) => (value.size === 0 ? 'none' : [...value].map(([name, role]) => `${name}=${role}`).join(',')),
};

/** Origins as a browser writes them: scheme, host, and the port where it is not the usual one. */
export const origins: ValueType<readonly string[]> = {
  hint: 'ORIGIN,…',
  isList: true,
  parse: (texts) =>
    texts
      .flatMap((text) => text.split(','))
      .map((text) => text.trim())
      .filter((text) => text !== '')
      .map((text) => {
        const origin = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text).origin : undefined;
        if (origin === undefined || (text !== origin && text !== `${origin}/`)) {
          throw new BadValueError('give origins like https://grafana.example, without a path; * is not taken');
        }
        return origin;
      }),
  show: (value) => (value.length === 0 ? 'none' : value.join(',')),
};

/** Host names as they stand in `Host`, in lower case, without a port. */
export const hosts: ValueType<readonly string[]> = {
  hint: 'HOST,…',
  isList: true,
  parse: (texts) =>
    texts
      .flatMap((text) => text.split(','))
      .map((text) => text.trim().toLowerCase())
      .filter((text) => text !== '')
      .map((text) => {
        if (/^[\w-]+(\.[\w-]+)*$/.test(text)) return text;
        throw new BadValueError('give names like umbel.example, without https:// and port; * is not taken');
      }),
  show: (value) => (value.length === 0 ? 'none' : value.join(',')),
};

function judged<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CredentialsError) throw new BadValueError(error.message, { cause: error });
    throw error;
  }
}
