import type { Credentials } from '@quire/protocol';
import { type AccountClaims, accountClaims, decodeJwt } from './jwt.ts';
import { planName } from './plan.ts';

/** Who is logged in. Each way holds exactly what belongs to it. */
export type Login = ApiKeyLogin | ChatgptLogin | HostLogin | AccessTokenLogin;

/** What a store can hold. */
export type StoredLogin = ApiKeyLogin | ChatgptLogin | StoredAccessToken;

export interface ApiKeyLogin {
  readonly kind: 'api-key';
  readonly key: string;
}

/** A login of a person. This program renews and stores its tokens. */
export interface ChatgptLogin {
  readonly kind: 'chatgpt';
  /** A JWT, unless somebody has put something else there. */
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The workspace. */
  readonly accountId: string | undefined;
  /** Unix milliseconds. */
  readonly lastRefreshMs: number;
}

/** Tokens that belong to the program that runs this one. They are renewed by asking it, and never written. */
export interface HostLogin {
  readonly kind: 'chatgpt-host';
  readonly accessToken: string;
  readonly accountId: string;
  readonly email: string | undefined;
  /** As it was given, or as the token says. */
  readonly planType: string | undefined;
}

/** A token that a person made for programs. It is never renewed, and does not tell whose it is. */
export interface StoredAccessToken {
  readonly kind: 'access-token';
  readonly token: string;
}

export interface AccessTokenLogin extends StoredAccessToken {
  readonly owner: AccountClaims;
}

/** What files and clients know. */
export type WireAuthMode = 'apikey' | 'chatgpt' | 'chatgptAuthTokens' | 'personalAccessToken';

export function wireAuthMode(login: Login): WireAuthMode {
  switch (login.kind) {
    case 'api-key':
      return 'apikey';
    case 'chatgpt':
      return 'chatgpt';
    case 'chatgpt-host':
      return 'chatgptAuthTokens';
    case 'access-token':
      return 'personalAccessToken';
  }
}

/** What authorises a request. */
export function credentialsOf(login: Login): Credentials {
  if (login.kind === 'api-key') return { kind: 'api-key', token: login.key };
  if (login.kind === 'access-token')
    return { kind: 'chatgpt', accessToken: login.token, accountId: login.owner.accountId };
  return { kind: 'chatgpt', accessToken: login.accessToken, accountId: login.accountId };
}

export interface Account {
  readonly email: string | undefined;
  /** `unknown`: one that this version does not know. */
  readonly plan: string | undefined;
  /** The plan as the service spells it. */
  readonly rawPlan: string | undefined;
  readonly accountId: string | undefined;
  readonly userId: string | undefined;
}

/** Whose login it is; `undefined` for a key, which tells nothing. */
export function accountOf(login: Login): Account | undefined {
  switch (login.kind) {
    case 'api-key':
      return undefined;
    case 'chatgpt': {
      const claims = accountClaims(decodeJwt(login.idToken));
      return { ...named(claims), accountId: login.accountId ?? claims.accountId };
    }
    case 'chatgpt-host': {
      const claims = accountClaims(decodeJwt(login.accessToken));
      const given = { ...claims, email: login.email, planType: login.planType ?? claims.planType };
      return { ...named(given), accountId: login.accountId };
    }
    case 'access-token':
      return { ...named(login.owner), accountId: login.owner.accountId };
  }
}

function named({ email, planType, userId }: AccountClaims): Omit<Account, 'accountId'> {
  return { email, plan: planName(planType), rawPlan: planType, userId };
}

/** What must not be written down of a login, or shown. */
export function secretsOf(login: Login | StoredLogin): readonly string[] {
  if (login.kind === 'api-key') return [login.key];
  if (login.kind === 'chatgpt-host') return [login.accessToken];
  if (login.kind === 'access-token') return [login.token];
  return [login.accessToken, login.refreshToken, login.idToken];
}

/** Two logins with the same tokens. */
export function isSameLogin(one: Login | StoredLogin, other: Login | StoredLogin): boolean {
  if (one.kind === 'chatgpt' && other.kind === 'chatgpt') {
    return one.refreshToken === other.refreshToken && one.accessToken === other.accessToken;
  }
  if (one.kind === 'api-key' && other.kind === 'api-key') return one.key === other.key;
  if (one.kind === 'access-token' && other.kind === 'access-token') return one.token === other.token;
  return one.kind === 'chatgpt-host' && other.kind === 'chatgpt-host' && one.accessToken === other.accessToken;
}

/** Enough of a key to know it again. Source: peer 0.169. */
export function maskKey(key: string): string {
  return key.length <= 13 ? '***' : `${key.slice(0, 8)}***${key.slice(-5)}`;
}
