import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Page } from '@quire/network';
import { AuthError } from '../auth-error.ts';
import { authNamespace, decodeJwt } from '../credentials/jwt.ts';
import { accountOf, type ChatgptLogin } from '../credentials/login.ts';
import { CLIENT_ID, DEFAULT_ISSUER, issuerUrl } from '../endpoints.ts';
import { bindCallback, CALLBACK_PORTS } from './bind-callback.ts';
import { exchangeCode, exchangeForKey, safe } from './exchange-code.ts';
import { requireAllowed, storeLogin } from './finish-login.ts';
import type { LoginContext } from './login-context.ts';
import { failurePage, successPage } from './pages.ts';

export interface BrowserLoginOptions extends LoginContext {
  /** Shows the address that the person is to visit, or opens it. Must not throw. */
  readonly onAuthorizationUrl: (url: string) => void;
  /** What the person pastes: the address where their browser, on another machine, ended up. */
  readonly pasted?: AsyncIterable<string>;
  /** What is wrong with something that was pasted. The login goes on. Must not throw. */
  readonly onPasteProblem?: (message: string) => void;
  /** Default: 1455, then 1457. 0 takes a free one. */
  readonly ports?: readonly number[];
  /** For the person. Default: ten minutes. */
  readonly timeoutMs?: number;
}

const PERSON_TIMEOUT_MS = 10 * 60_000;
/** The browser asks for the last page at once; a login that is stored does not depend on it. */
const LAST_VISIT_MS = 3000;
const SCOPE = 'openid profile email offline_access api.connectors.read api.connectors.invoke';
const DEFAULT_ORIGINATOR = 'codex_cli_rs';

/** Logs in through a browser. Rejects with AuthError, or the reason of the signal. */
export async function logInWithBrowser(options: BrowserLoginOptions): Promise<ChatgptLogin> {
  await options.keeper.requireStorable({ signal: options.signal });
  const attempt = new BrowserLogin(options);
  const onAbort = (): void => attempt.fail(options.signal.reason);
  await using server = await disposable(
    bindCallback({
      ports: options.ports ?? CALLBACK_PORTS,
      onVisit: (url) => attempt.visit(url),
      signal: options.signal,
    }),
  );
  const timer = setTimeout(() => attempt.fail(tooLate()), options.timeoutMs ?? PERSON_TIMEOUT_MS);
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (options.signal.aborted) onAbort();
    else attempt.begin(server.port);
    return await attempt.done;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    attempt.stop();
  }
}

/** One attempt to log in: its secrets, what has come of it, and who waits for it. */
class BrowserLogin {
  readonly done: Promise<ChatgptLogin>;
  readonly #options: BrowserLoginOptions;
  readonly #state = randomBytes(32).toString('base64url');
  readonly #verifier = randomBytes(64).toString('base64url');
  readonly #stopped = new AbortController();
  #redirectUri = '';
  #stored: ChatgptLogin | undefined;
  #taking: Promise<ChatgptLogin> | undefined;
  #lastVisit: NodeJS.Timeout | undefined;
  #resolve!: (login: ChatgptLogin) => void;
  #reject!: (error: unknown) => void;

  constructor(options: BrowserLoginOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // nobody may wait for it yet
  }

  begin(port: number): void {
    this.#redirectUri = `http://localhost:${port}/auth/callback`;
    this.#options.onAuthorizationUrl(this.#authorizationUrl());
    if (this.#options.pasted !== undefined) void this.#readPasted(this.#options.pasted);
  }

  /** What is stored already stays so; of what is under way as much is done as can not be given up any more. */
  fail(error: unknown): void {
    this.#stopped.abort(error);
    if (this.#taking === undefined) this.#reject(error);
    else this.#taking.then(this.#resolve, () => this.#reject(error));
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#lastVisit);
  }

  /** Never rejects. */
  async visit(url: URL): Promise<Page> {
    switch (url.pathname) {
      case '/auth/callback':
        return await this.#callback(url.searchParams);
      case '/success':
        return this.#success();
      case '/cancel':
        this.fail(
          new AuthError('login-failed', 'the login was interrupted: another one was begun, or it was cancelled'),
        );
        return { kind: 'text', status: 200, body: 'The login is cancelled.' };
      default:
        return { kind: 'text', status: 404, body: 'There is nothing here.' };
    }
  }

  async #callback(query: URLSearchParams): Promise<Page> {
    // Somebody else's visit neither ends nor serves the login.
    if (!isSame(query.get('state') ?? '', this.#state)) {
      return { kind: 'text', status: 400, body: 'This is not the login that was begun here.' };
    }
    if (this.#taking !== undefined) {
      return { kind: 'text', status: 400, body: 'This login is under way already.' };
    }
    try {
      const login = await this.#take(query);
      // The page may never be asked for.
      if (!this.#stopped.signal.aborted) this.#lastVisit = setTimeout(() => this.#resolve(login), LAST_VISIT_MS);
      return { kind: 'redirect', location: `http://localhost:${new URL(this.#redirectUri).port}/success` };
    } catch (error) {
      this.fail(error);
      return { kind: 'html', status: 200, body: failurePage(failureFacts(error, query)) };
    }
  }

  #success(): Page {
    const login = this.#stored;
    if (login === undefined) return { kind: 'text', status: 404, body: 'Nobody is logged in yet.' };
    this.#resolve(login);
    const auth = authNamespace(decodeJwt(login.idToken));
    const isUnfinished = auth['completed_platform_onboarding'] !== true && auth['is_org_owner'] === true;
    const { issuer = DEFAULT_ISSUER } = this.#options;
    const setupUrl = issuer === DEFAULT_ISSUER ? 'https://platform.openai.com' : 'https://platform.api.openai.org';
    return {
      kind: 'html',
      status: 200,
      body: successPage({ email: accountOf(login)?.email, setupUrl: isUnfinished ? setupUrl : undefined }),
    };
  }

  #take(query: URLSearchParams): Promise<ChatgptLogin> {
    this.#taking = this.#trade(query);
    return this.#taking;
  }

  /** Trades what came back for a stored login. Rejects only as long as nothing is stored. */
  async #trade(query: URLSearchParams): Promise<ChatgptLogin> {
    const options = { ...this.#options, signal: this.#stopped.signal };
    const code = query.get('code');
    if (query.get('error') !== null || code === null || code === '') throw refused(query);
    const login = await exchangeCode(options, { code, redirectUri: this.#redirectUri, verifier: this.#verifier });
    requireAllowed(options, login);
    const exchangedKey = await exchangeForKey(options, login);
    const onStored = (): void => {
      this.#stored = login;
    };
    await storeLogin(options, login, { exchangedKey, onStored });
    return login;
  }

  async #readPasted(pasted: AsyncIterable<string>): Promise<void> {
    try {
      for await (const line of pasted) {
        if (this.#stopped.signal.aborted) return;
        const query = readPastedAddress(line);
        if (query === undefined || !isSame(query.get('state') ?? '', this.#state)) {
          if (line.trim() !== '') this.#options.onPasteProblem?.(PASTE_PROBLEM);
        } else if (this.#taking === undefined) {
          this.#resolve(await this.#take(query));
          return;
        }
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #authorizationUrl(): string {
    const { issuer = DEFAULT_ISSUER, workspaces, client } = this.#options;
    const url = issuerUrl(issuer, '/oauth/authorize');
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: this.#redirectUri,
      scope: SCOPE,
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      id_token_add_organizations: 'true',
      codex_cli_simplified_flow: 'true',
      state: this.#state,
      originator: client?.originator ?? DEFAULT_ORIGINATOR,
      ...(workspaces === undefined ? {} : { allowed_workspace_id: workspaces.join(',') }),
    }).toString();
    return url.href;
  }
}

const PASTE_PROBLEM = 'That is not where this login ends. Paste the whole address, which begins with http://localhost.';

/** The query of a whole address, or of the part behind its question mark. */
function readPastedAddress(line: string): URLSearchParams | undefined {
  const text = line.trim();
  if (URL.canParse(text)) return new URL(text).searchParams;
  return /(^|[?&])code=|(^|[?&])error=/.test(text) ? new URLSearchParams(text.replace(/^[^?]*\?/, '')) : undefined;
}

const NO_ENTITLEMENT = 'missing_codex_entitlement';

function refused(query: URLSearchParams): AuthError {
  const error = query.get('error');
  const description = query.get('error_description') ?? '';
  if (error === 'access_denied' && description.includes(NO_ENTITLEMENT)) {
    return new AuthError('login-failed', 'your workspace has no access to this; ask whoever administers it');
  }
  if (error === null)
    return new AuthError('login-failed', 'the login server sent the browser back without a code; try again');
  return new AuthError('login-failed', `the login was refused: ${safe(description === '' ? error : description)}`);
}

function failureFacts(error: unknown, query: URLSearchParams): Parameters<typeof failurePage>[0] {
  const code = query.get('error') ?? (error instanceof AuthError ? error.code : undefined);
  const message = error instanceof AuthError ? error.message : 'something went wrong here';
  return { message, code: code === undefined ? undefined : safe(code) };
}

function tooLate(): AuthError {
  return new AuthError('login-failed', 'nobody logged in within ten minutes; start again');
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

async function disposable<Server extends { close(): Promise<void> }>(
  opening: Promise<Server>,
): Promise<Server & AsyncDisposable> {
  const server = await opening;
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() });
}
