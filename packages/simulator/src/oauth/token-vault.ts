import { randomBytes } from 'node:crypto';
import { authClaims, idClaims, type SimulatedAccount } from './account.ts';
import { encodeJwt } from './jwt.ts';

export interface IssuedTokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Why a refresh token is not taken. */
export type RefreshRefusal = 'unknown' | 'expired' | 'reused' | 'invalidated';

export interface TokenVaultOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Of access tokens, in seconds. */
  readonly lifetimeSeconds: number;
  /** Of refresh tokens, in seconds. */
  readonly refreshLifetimeSeconds: number;
  /** Access tokens tell nothing about themselves. */
  readonly opaque: boolean;
}

/** Everything that came from one login. */
interface Family {
  readonly account: SimulatedAccount;
  isRevoked: boolean;
}

interface RefreshToken {
  readonly family: Family;
  readonly expiresAtMs: number;
  isUsed: boolean;
}

/**
 * Issues tokens. A refresh token is good for one use; a second use revokes everything of the same login, since one
 * of the two users must have stolen it.
 */
export class TokenVault {
  /** How many logins were revoked because a refresh token was used twice. */
  reuseRevocations = 0;
  readonly #options: TokenVaultOptions;
  readonly #refreshTokens = new Map<string, RefreshToken>();
  readonly #accessTokens = new Map<string, { readonly family: Family; readonly expiresAtMs: number }>();

  constructor(options: TokenVaultOptions) {
    this.#options = options;
  }

  logIn(account: SimulatedAccount): IssuedTokens {
    return this.#issue({ account, isRevoked: false });
  }

  refresh(token: string): IssuedTokens | RefreshRefusal {
    const known = this.#refreshTokens.get(token);
    if (known === undefined) return 'unknown';
    if (known.isUsed) {
      if (!known.family.isRevoked) this.reuseRevocations += 1;
      known.family.isRevoked = true;
      return 'reused';
    }
    if (known.family.isRevoked) return 'invalidated';
    if (known.expiresAtMs <= this.#options.now()) return 'expired';
    known.isUsed = true;
    return this.#issue(known.family);
  }

  /** Ends the login that the token belongs to. `false`: not known. */
  revoke(token: string): boolean {
    const family = (this.#refreshTokens.get(token) ?? this.#accessTokens.get(token))?.family;
    if (family === undefined) return false;
    family.isRevoked = true;
    return true;
  }

  issuePersonal(account: SimulatedAccount): string {
    const token = `at-${randomName()}`;
    this.#accessTokens.set(token, { family: { account, isRevoked: false }, expiresAtMs: Number.POSITIVE_INFINITY });
    return token;
  }

  /** Whose token of that kind it is; `undefined`: nobody's. */
  personalOwner(token: string): SimulatedAccount | undefined {
    const family = token.startsWith('at-') ? this.#accessTokens.get(token)?.family : undefined;
    return family === undefined || family.isRevoked ? undefined : family.account;
  }

  accepts(accessToken: string): boolean {
    const known = this.#accessTokens.get(accessToken);
    return known !== undefined && !known.family.isRevoked && known.expiresAtMs > this.#options.now();
  }

  /** Access tokens issued so far are refused from here on; refresh tokens stay good. */
  expireAccessTokens(): void {
    this.#accessTokens.clear();
  }

  expireRefreshTokens(): void {
    for (const [text, token] of this.#refreshTokens) this.#refreshTokens.set(text, { ...token, expiresAtMs: 0 });
  }

  #issue(family: Family): IssuedTokens {
    const { now, lifetimeSeconds, refreshLifetimeSeconds, opaque } = this.#options;
    const nowMs = now();
    const iat = Math.floor(nowMs / 1000);
    const [accessId, refreshToken] = [randomName(), `refresh-${randomName()}`];
    const lifetime = { iat, exp: iat + lifetimeSeconds };
    const accessToken = opaque
      ? `access-${accessId}`
      : encodeJwt({ jti: accessId, ...lifetime, ...authClaims(family.account) });
    this.#accessTokens.set(accessToken, { family, expiresAtMs: nowMs + lifetimeSeconds * 1000 });
    const expiresAtMs = nowMs + refreshLifetimeSeconds * 1000;
    this.#refreshTokens.set(refreshToken, { family, expiresAtMs, isUsed: false });
    const idToken = encodeJwt({ jti: randomName(), ...lifetime, ...idClaims(family.account) });
    return { idToken, accessToken, refreshToken };
  }
}

function randomName(): string {
  return randomBytes(18).toString('base64url');
}
