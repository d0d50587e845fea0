import type { OAuthTokens } from '@modelcontextprotocol/client';
import type { StoredLogin } from './credentials-file.ts';

/** What is stored of tokens; what the answer leaves out stays as it was. */
export function loginOf(
  tokens: OAuthTokens,
  before: Pick<StoredLogin, 'issuer' | 'clientId' | 'clientSecret' | 'refreshToken' | 'scopes'> & {
    readonly nowMs: number;
  },
): StoredLogin {
  const { nowMs, issuer, clientId, clientSecret } = before;
  return {
    issuer,
    clientId,
    clientSecret,
    accessToken: tokens.access_token,
    expiresAtMs: tokens.expires_in === undefined ? undefined : nowMs + tokens.expires_in * 1000,
    refreshToken: tokens.refresh_token ?? before.refreshToken,
    scopes: tokens.scope === undefined ? before.scopes : tokens.scope.split(' ').filter((scope) => scope !== ''),
  };
}
