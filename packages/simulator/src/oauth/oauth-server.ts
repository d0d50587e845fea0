import { createHash, randomBytes } from 'node:crypto';
import { type JsonObject, parseJsonObject } from '@quire/protocol';
import type { ReceivedRequest } from '../recorded-request.ts';
import { status } from '../script/faults.ts';
import type { Answer } from '../script/step.ts';
import { ACCOUNTS, ownerBody, type SimulatedAccount } from './account.ts';
import { DeviceLogins } from './device-logins.ts';
import type { OAuthEndpoint, OAuthOptions, RecordedOAuthRequest } from './oauth-options.ts';
import { consentPage, devicePage } from './pages.ts';
import { type IssuedTokens, type RefreshRefusal, TokenVault } from './token-vault.ts';

type Fields = Readonly<Record<string, string>>;

interface AuthorizationCode {
  readonly account: SimulatedAccount;
  readonly challenge: string;
  readonly redirectUri: string;
  readonly clientId: string | undefined;
}

/** A request that was received and is kept waiting. */
export interface HeldAnswer {
  /** The request is here and its effect has happened; only the answer is withheld. */
  readonly arrived: Promise<void>;
  release(): void;
}

export interface OAuthPlace {
  /** The origin of this server. */
  readonly issuer: () => string;
  /** Called when a request is recorded; must not throw. */
  readonly notify: () => void;
}

const ENDPOINTS: Readonly<Record<string, OAuthEndpoint | undefined>> = {
  'GET /oauth/authorize': 'authorize',
  'POST /oauth/token': 'token',
  'POST /oauth/revoke': 'revoke',
  'GET /codex/device': 'device-page',
  'POST /api/accounts/deviceauth/usercode': 'device-code',
  'POST /api/accounts/deviceauth/token': 'device-token',
  'GET /api/accounts/v1/user-auth-credential/whoami': 'token-owner',
};

const HOUR = 3600;
const MONTH = 30 * 24 * HOUR;

/** An authorization server with the endpoints of the service: authorization, token, revocation, device. */
export class OAuthServer {
  readonly #options: OAuthOptions;
  readonly #vault: TokenVault;
  readonly #codes = new Map<string, AuthorizationCode>();
  readonly #devices = new DeviceLogins();
  readonly #requests: RecordedOAuthRequest[] = [];
  readonly #faults = new Map<OAuthEndpoint, Answer[]>();
  readonly #holds = new Map<OAuthEndpoint, { readonly arrive: () => void; readonly released: Promise<void> }[]>();
  readonly #releases: (() => void)[] = [];
  readonly #place: OAuthPlace;
  #account: SimulatedAccount;

  constructor(options: OAuthOptions, place: OAuthPlace) {
    this.#options = options;
    this.#place = place;
    this.#account = options.account ?? ACCOUNTS.plus;
    this.#vault = new TokenVault({
      now: options.now ?? Date.now,
      lifetimeSeconds: options.accessTokenLifetimeSeconds ?? HOUR,
      refreshLifetimeSeconds: options.refreshTokenLifetimeSeconds ?? MONTH,
      opaque: options.opaqueAccessTokens === true,
    });
  }

  /** Every request, in order of arrival; the array grows. */
  get requests(): readonly RecordedOAuthRequest[] {
    return this.#requests;
  }

  /** The requests that asked for a refresh. */
  get refreshes(): readonly RecordedOAuthRequest[] {
    return this.#requests.filter(({ fields }) => fields['grant_type'] === 'refresh_token');
  }

  /** Logins that were revoked because a refresh token was used twice. */
  get reuseRevocations(): number {
    return this.#vault.reuseRevocations;
  }

  /** Codes that people were shown and have not typed in yet. */
  get pendingUserCodes(): readonly string[] {
    return this.#devices.all.flatMap(({ approvedBy, userCode }) => (approvedBy === undefined ? userCode : []));
  }

  /** From now on somebody else sits at the browser. */
  setAccount(account: SimulatedAccount): void {
    this.#account = account;
  }

  /** Tokens as a login would have brought them. */
  logIn(account: SimulatedAccount = this.#account): IssuedTokens {
    return this.#vault.logIn(account);
  }

  /** A token that a person made for programs, as on the pages of the service. It does not end by itself. */
  issueAccessToken(account: SimulatedAccount = this.#account): string {
    return this.#vault.issuePersonal(account);
  }

  /** The person types in the code. */
  approveDevice(userCode: string, account: SimulatedAccount = this.#account): void {
    this.#devices.approve(userCode, account);
  }

  accepts(accessToken: string): boolean {
    return this.#vault.accepts(accessToken);
  }

  revoke(token: string): void {
    this.#vault.revoke(token);
  }

  /** Access tokens issued so far are refused from here on. */
  expireAccessTokens(): void {
    this.#vault.expireAccessTokens();
  }

  expireRefreshTokens(): void {
    this.#vault.expireRefreshTokens();
  }

  /** The next request to that endpoint is answered this, without any effect. */
  failNext(endpoint: OAuthEndpoint, ...answers: readonly Answer[]): void {
    this.#faults.set(endpoint, [...(this.#faults.get(endpoint) ?? []), ...answers]);
  }

  /** The next request to that endpoint has its effect, but the answer waits to be released. */
  holdNext(endpoint: OAuthEndpoint): HeldAnswer {
    let arrive = (): void => undefined;
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#releases.push(release);
    this.#holds.set(endpoint, [...(this.#holds.get(endpoint) ?? []), { arrive, released }]);
    return { arrived, release };
  }

  /** Nothing is held any more. */
  close(): void {
    for (const release of this.#releases) release();
  }

  /** The answer to a request, or `undefined` when it is for no endpoint of this server. */
  async answer(received: ReceivedRequest): Promise<Answer | undefined> {
    const [pathname = '', query = ''] = received.path.split('?', 2);
    const endpoint = ENDPOINTS[`${received.method} ${pathname}`];
    if (endpoint === undefined) return undefined;
    const fields = readFields(received, query);
    this.#requests.push({ endpoint, path: pathname, headers: received.headers, fields });
    this.#place.notify();
    const fault = this.#faults.get(endpoint)?.shift();
    if (fault !== undefined) return fault;
    const answer = endpoint === 'token-owner' ? this.#tokenOwner(received) : this.#respond(endpoint, fields);
    const hold = this.#holds.get(endpoint)?.shift();
    hold?.arrive();
    await hold?.released;
    return answer;
  }

  #respond(endpoint: Exclude<OAuthEndpoint, 'token-owner'>, fields: Fields): Answer {
    switch (endpoint) {
      case 'authorize':
        return this.#authorize(fields);
      case 'token':
        return this.#token(fields);
      case 'revoke':
        // RFC 7009, section 2.2: also a token that is not known is answered 200.
        this.#vault.revoke(fields['token'] ?? '');
        return status(/* code */ 200, { body: {} });
      case 'device-page':
        return this.#devicePage(fields['code']);
      case 'device-code':
        return this.#deviceCode(fields);
      case 'device-token':
        return this.#deviceToken(fields);
    }
  }

  #tokenOwner({ headers }: ReceivedRequest): Answer {
    const account = this.#vault.personalOwner((headers.authorization ?? '').replace(/^Bearer /, ''));
    return account === undefined
      ? status(/* code */ 401, { body: { error: { message: 'the token is not known', code: 'token_invalid' } } })
      : status(/* code */ 200, { body: ownerBody(account) });
  }

  #authorize(fields: Fields): Answer {
    const redirectUri = fields['redirect_uri'] ?? '';
    const challenge = fields['code_challenge'] ?? '';
    const missing = ['client_id', 'state', 'scope', 'code_challenge'].filter((name) => (fields[name] ?? '') === '');
    if (missing.length > 0 || !URL.canParse(redirectUri)) return problem('invalid_request', missing.join(' '));
    if (fields['response_type'] !== 'code') return problem('unsupported_response_type', 'only code');
    if (fields['code_challenge_method'] !== 'S256') return problem('invalid_request', 'only S256');
    const target = new URL(redirectUri);
    target.searchParams.set('state', fields['state'] ?? '');
    const { refusal } = this.#account;
    if (refusal !== undefined) {
      target.searchParams.set('error', refusal.error);
      target.searchParams.set('error_description', refusal.description);
    } else {
      const clientId = fields['client_id'];
      target.searchParams.set('code', this.#issueCode({ account: this.#account, challenge, redirectUri, clientId }));
    }
    if (this.#options.asksForConsent === true) {
      return status(/* code */ 200, { headers: HTML, body: consentPage(target.href, this.#account.email ?? '') });
    }
    return status(/* code */ 302, { headers: { location: target.href } });
  }

  #issueCode(code: AuthorizationCode): string {
    const text = `code-${randomBytes(12).toString('base64url')}`;
    this.#codes.set(text, code);
    return text;
  }

  #token(fields: Fields): Answer {
    switch (fields['grant_type']) {
      case 'authorization_code':
        return this.#exchangeCode(fields);
      case 'refresh_token':
        return this.#refresh(fields['refresh_token'] ?? '');
      case 'urn:ietf:params:oauth:grant-type:token-exchange':
        if (this.#options.grantsApiKeys !== true) return problem('access_denied', 'no API keys for this account');
        return status(/* code */ 200, {
          body: { access_token: `sk-simulated-${randomBytes(9).toString('base64url')}` },
        });
      default:
        return problem('unsupported_grant_type', 'no such grant');
    }
  }

  #exchangeCode(fields: Fields): Answer {
    const text = fields['code'] ?? '';
    const code = this.#codes.get(text);
    this.#codes.delete(text);
    if (code === undefined) return problem('invalid_grant', 'the code is not known, or was used');
    if (code.redirectUri !== fields['redirect_uri']) return problem('invalid_grant', 'another redirect_uri');
    if (code.clientId !== fields['client_id']) return problem('invalid_grant', 'another client');
    const challenge = createHash('sha256')
      .update(fields['code_verifier'] ?? '')
      .digest('base64url');
    if (challenge !== code.challenge) return problem('invalid_grant', 'the verifier does not fit');
    return tokenAnswer(this.#vault.logIn(code.account));
  }

  #refresh(token: string): Answer {
    if (this.#options.keepsRefreshTokens === true) {
      const { idToken, accessToken } = this.#vault.logIn(this.#account);
      return status(/* code */ 200, { body: { id_token: idToken, access_token: accessToken } });
    }
    const result = this.#vault.refresh(token);
    return typeof result === 'string' ? refreshRefusal(result) : tokenAnswer(result);
  }

  #deviceCode(fields: Fields): Answer {
    if (this.#options.withoutDeviceLogin === true) return status(/* code */ 404, { body: {} });
    if ((fields['client_id'] ?? '') === '') return problem('invalid_request', 'client_id');
    const { id, userCode } = this.#devices.begin();
    const { deviceInterval = '0' } = this.#options;
    return status(/* code */ 200, {
      body: {
        device_auth_id: id,
        user_code: userCode,
        ...(deviceInterval === null ? {} : { interval: deviceInterval }),
      },
    });
  }

  /** Where a person types in the code. */
  #devicePage(code: string | undefined): Answer {
    const userCode = code?.trim().toUpperCase();
    const isKnown = userCode !== undefined && this.pendingUserCodes.includes(userCode);
    if (isKnown) this.approveDevice(userCode);
    return status(/* code */ 200, {
      headers: HTML,
      body: devicePage(code === undefined ? 'asked' : isKnown ? 'allowed' : 'unknown'),
    });
  }

  #deviceToken(fields: Fields): Answer {
    const login = this.#devices.find(fields['device_auth_id'], fields['user_code']);
    if (login?.approvedBy === undefined) return status(/* code */ 403, { body: {} });
    const code = this.#issueCode({
      account: login.approvedBy,
      challenge: login.challenge,
      redirectUri: `${this.#place.issuer()}/deviceauth/callback`,
      clientId: this.#requests.find(({ endpoint }) => endpoint === 'device-code')?.fields['client_id'],
    });
    const { challenge, verifier } = login;
    return status(/* code */ 200, {
      body: { authorization_code: code, code_challenge: challenge, code_verifier: verifier },
    });
  }
}

const HTML = { 'content-type': 'text/html; charset=utf-8' };

function readFields({ headers, content }: ReceivedRequest, query: string): Fields {
  const text = content.kind === 'decoded' ? content.bytes.toString('utf8') : '';
  if (text === '') return Object.fromEntries(new URLSearchParams(query));
  if (headers['content-type']?.includes('x-www-form-urlencoded') === true) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  const entries = Object.entries(parseJsonObject(text) ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function tokenAnswer({ idToken, accessToken, refreshToken }: IssuedTokens): Answer {
  return status(/* code */ 200, {
    body: { id_token: idToken, access_token: accessToken, refresh_token: refreshToken },
  });
}

/** Source: sheet of the login, section 6.1. */
function refreshRefusal(refusal: RefreshRefusal): Answer {
  if (refusal === 'unknown') return problem('invalid_grant', 'the refresh token is not known');
  const error: JsonObject = { code: `refresh_token_${refusal}`, message: `the refresh token is ${refusal}` };
  return status(/* code */ 401, { body: { error } });
}

function problem(error: string, description: string): Answer {
  return status(/* code */ 400, { body: { error, error_description: description } });
}
