import { isJsonObject, type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from '@quire/protocol';

/** What a token says of its owner. Absent claims are `undefined`. */
export interface AccountClaims {
  readonly email: string | undefined;
  /** As the service spells it. */
  readonly planType: string | undefined;
  readonly userId: string | undefined;
  /** The workspace. */
  readonly accountId: string | undefined;
}

/** When a token was made and when it ends, by the clock of the server. */
export interface TokenTimes {
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
}

const AUTH_NAMESPACE = 'https://api.openai.com/auth';
const PROFILE_NAMESPACE = 'https://api.openai.com/profile';

/** The claims of a JWT, `undefined` for text that is none. The signature is not verified: tokens come over TLS. */
export function decodeJwt(token: string): JsonObject | undefined {
  const parts = token.split('.');
  const [, payload] = parts;
  if (parts.length !== 3 || payload === undefined || parts.includes('')) return undefined;
  // Whatever is no base64url is skipped by the decoder, and is then no JSON either.
  return parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'));
}

export function accountClaims(claims: JsonObject | undefined): AccountClaims {
  const auth = authNamespace(claims);
  const profile = objectAt(claims ?? {}, PROFILE_NAMESPACE);
  return {
    email: stringAt(claims ?? {}, 'email') ?? stringAt(profile ?? {}, 'email'),
    planType: stringAt(auth, 'chatgpt_plan_type'),
    userId: stringAt(auth, 'chatgpt_user_id') ?? stringAt(auth, 'user_id'),
    accountId: stringAt(auth, 'chatgpt_account_id'),
  };
}

/** The claims of the service's own namespace; empty when there are none. */
export function authNamespace(claims: JsonObject | undefined): JsonObject {
  const value = claims?.[AUTH_NAMESPACE];
  return isJsonObject(value) ? value : {};
}

export function tokenTimes(token: string): TokenTimes {
  const claims = decodeJwt(token) ?? {};
  return { issuedAtMs: milliseconds(numberAt(claims, 'iat')), expiresAtMs: milliseconds(numberAt(claims, 'exp')) };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
