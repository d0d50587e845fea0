import { AuthError } from './auth-error.ts';

/** Source: sheet of the login, section 4. */
export const DEFAULT_ISSUER = 'https://auth.openai.com';
export const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where tokens are renewed. Throws AuthError 'missing-variable' when a variable holds no address. */
export function refreshUrl(environment: Environment): URL {
  return addressIn(environment, 'CODEX_REFRESH_TOKEN_URL_OVERRIDE') ?? new URL(`${DEFAULT_ISSUER}/oauth/token`);
}

/** Where tokens are given back. Follows the other address when only that one is set. */
export function revokeUrl(environment: Environment): URL {
  const own = addressIn(environment, 'CODEX_REVOKE_TOKEN_URL_OVERRIDE');
  if (own !== undefined) return own;
  const derived = addressIn(environment, 'CODEX_REFRESH_TOKEN_URL_OVERRIDE');
  if (derived === undefined) return new URL(`${DEFAULT_ISSUER}/oauth/revoke`);
  derived.pathname = '/oauth/revoke';
  derived.search = '';
  return derived;
}

/** Who the owner of an access token is. Source: observed with the peer 0.169. */
export function tokenOwnerUrl(environment: Environment): URL {
  const base = addressIn(environment, 'CODEX_AUTHAPI_BASE_URL')?.href ?? `${DEFAULT_ISSUER}/api/accounts`;
  return new URL(`${base.replace(/\/+$/, '')}/v1/user-auth-credential/whoami`);
}

/** An address below the issuer. Throws AuthError 'login-failed'. */
export function issuerUrl(issuer: string, path: string): URL {
  const address = `${issuer.replace(/\/+$/, '')}${path}`;
  if (isWebAddress(address)) return new URL(address);
  throw new AuthError('login-failed', 'the issuer is not an address that begins with https:// or http://; correct it');
}

function addressIn(environment: Environment, name: string): URL | undefined {
  const value = environment[name]?.trim();
  if (value === undefined || value === '') return undefined;
  if (isWebAddress(value)) return new URL(value);
  throw new AuthError('missing-variable', `${name} is not an address that begins with https://; correct or unset it`);
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
