import type { Principal } from './principal.ts';

/** What is looked at to tell who asks. */
export interface Asking {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Address of the client. */
  readonly address: string;
}

/** Why a request was not given a principal. */
export interface Refusal {
  readonly refused:
    | 'no-credentials'
    /** Wrong password, unknown token, a JWT that does not hold. */
    | 'bad-credentials'
    /** Proven who it is, but no role follows from it. */
    | 'no-role'
    /** Too many failed attempts. */
    | 'too-many-attempts'
    /** The keys that would prove it cannot be had at the moment. */
    | 'unavailable';
  /** One sentence for the client; no secret. */
  readonly detail: string;
  /** The name that was claimed, for the audit; null when none was. */
  readonly claimed: string | null;
  readonly via: Principal['via'];
  readonly retryAfterSeconds?: number;
}

/** Tells who asks. */
export interface Identity {
  /** There are users, tokens or an issuer: whoever brings none of them is anonymous or refused. */
  readonly signIn: boolean;
  /** Users may log in by name and password, so that a browser may be asked for them. */
  readonly hasPasswords: boolean;
  /** Never rejects. */
  identify(asking: Asking): Promise<Principal | Refusal>;
}

export function isRefusal(who: Principal | Refusal): who is Refusal {
  return 'refused' in who;
}
