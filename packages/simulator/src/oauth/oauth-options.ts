import type { SimulatedAccount } from './account.ts';

export interface OAuthOptions {
  /** Who sits at the browser and at the device. Default: `ACCOUNTS.plus`. */
  readonly account?: SimulatedAccount;
  /** Of access tokens. Default: one hour. */
  readonly accessTokenLifetimeSeconds?: number;
  /** Of refresh tokens. Default: thirty days. */
  readonly refreshTokenLifetimeSeconds?: number;
  /** Access tokens are no JWTs. */
  readonly opaqueAccessTokens?: boolean;
  /** A refresh brings no new refresh token, and the old one stays good. */
  readonly keepsRefreshTokens?: boolean;
  /** The authorization endpoint shows a page with a button, for a real browser, instead of answering at once. */
  readonly asksForConsent?: boolean;
  /** Device logins are answered 404. */
  readonly withoutDeviceLogin?: boolean;
  /** Seconds between two polls that the device endpoint asks for, as the text it sends. Default `0`; `null` sends none. */
  readonly deviceInterval?: string | null;
  /** The exchange of an ID token for an API key works. Default: it is refused. */
  readonly grantsApiKeys?: boolean;
  /** Requests to models need an access token that is good. */
  readonly guardsModels?: boolean;
  /** Unix milliseconds. Default: the real time. */
  readonly now?: () => number;
}

export type OAuthEndpoint =
  | 'authorize'
  | 'token'
  | 'revoke'
  | 'device-code'
  | 'device-token'
  | 'token-owner'
  | 'device-page';

/** One request to the authorization server. */
export interface RecordedOAuthRequest {
  readonly endpoint: OAuthEndpoint;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the query, the form or the JSON. */
  readonly fields: Readonly<Record<string, string>>;
}
