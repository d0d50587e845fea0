import { untilAborted } from '@quire/network';
import { type Credentials, ModelError } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import { documentOf, loginOf } from './credentials/auth-document.ts';
import {
  type AccessTokenLogin,
  type ApiKeyLogin,
  type ChatgptLogin,
  credentialsOf,
  type HostLogin,
  isSameLogin,
  type Login,
  type StoredLogin,
} from './credentials/login.ts';
import type { Environment } from './endpoints.ts';
import type { ClientIdentity } from './post.ts';
import { isDue, isStillGood } from './refresh/expiry.ts';
import type { RefreshFailure, RefreshOutcome } from './refresh/refresh-outcome.ts';
import { createFileStore } from './storage/file-store.ts';
import type { LoginStore, StoreKind } from './storage/login-store.ts';
import { askHost, HOST_TIMEOUT_MS, type HostTokens, hostLogin, type TokenHost } from './token-host.ts';
import { withinPatience } from './waiting.ts';

export interface LoginKeeperOptions {
  /** Absolute path of the home folder of the agent. */
  readonly home: string;
  /** Default: `file`. */
  readonly storeKind?: StoreKind;
  /** Instead of what `storeKind` names. */
  readonly store?: LoginStore;
  readonly environment: Environment;
  /** Who asks for new tokens. */
  readonly client?: ClientIdentity;
  /** Of which host-owned tokens may be. Absent: any. */
  readonly workspaces?: readonly string[];
  /** Called synchronously; must not throw. No record holds a token. */
  readonly log?: (record: LoginLog) => void;
  /** Told of every login as soon as it is known, before it is used. Called synchronously; must not throw. */
  readonly onLogin?: (login: Login | StoredLogin) => void;
  /** Unix milliseconds. Default: the clock. */
  readonly now?: () => number;
  /** Longest wait for the token endpoint. Default: 30 s. */
  readonly refreshTimeoutMs?: number;
  /** Longest wait for the host of host-owned tokens. Default: 10 s. */
  readonly hostTimeoutMs?: number;
}

export type LoginLog =
  | {
      readonly kind: 'login-renewed';
      readonly reason: RefreshReason;
      readonly by: 'this' | 'another';
      readonly durationMs: number;
    }
  | {
      readonly kind: 'renewal-failed';
      readonly reason: RefreshReason;
      readonly permanent: boolean;
      readonly message: string;
      readonly durationMs: number;
    };

export type RefreshReason = 'proactive-expiry' | 'unauthorized-recovery' | 'forced';

/** One thing that was done about refused credentials. */
export interface LoginRecoveryStep {
  readonly mode: 'managed' | 'external';
  readonly phase: 'reload' | 'refresh_token' | 'external_refresh';
  /** What to try now. */
  readonly credentials: Credentials;
  /** Whether they differ from the ones before. */
  readonly changed: boolean;
}

/** The program that runs this one, a variable of the environment, or what is stored. */
export type LoginSource = 'host' | 'store' | { readonly variable: string };

type OwnLogin = ApiKeyLogin | ChatgptLogin | AccessTokenLogin;

/** After a renewal, or an attempt at one, the next is not tried ahead of time before this. */
const REST_MS = 60_000;
/** A personal access token. */
const ACCESS_TOKEN_VARIABLE = 'CODEX_ACCESS_TOKEN';
/** An access token that is still good is used when its renewal takes longer. */
const PATIENCE_MS = 10_000;

/**
 * Owns the login: reads it once, renews it ahead of its end and when it is refused, and knows who is logged in. Every
 * thread of a program should share one for its home folder; several, and several processes, do no harm.
 */
export class LoginKeeper {
  readonly #options: LoginKeeperOptions;
  readonly #nowMs: () => number;
  #opened: Promise<LoginStore> | undefined;
  #login: OwnLogin | undefined;
  /** Whether that comes from the environment. */
  #isGiven = false;
  #host: { readonly login: HostLogin; readonly ask: TokenHost } | undefined;
  #renewal: { readonly of: ChatgptLogin; readonly outcome: Promise<RefreshOutcome> } | undefined;
  /** A login that can not be renewed any more: not tried again until another one is stored. */
  #lost: { readonly login: ChatgptLogin; readonly failure: RefreshFailure } | undefined;
  #triedAtMs: number | undefined;

  constructor(options: LoginKeeperOptions) {
    this.#options = options;
    this.#nowMs = options.now ?? Date.now;
  }

  /**
   * Who is logged in; no server is asked, but whose an access token is. Read once and kept; "nobody" is not kept. Rejects
   * with AuthError, or the reason of the signal.
   */
  async read({ signal }: { readonly signal: AbortSignal }): Promise<Login | undefined> {
    signal.throwIfAborted();
    if (this.#host !== undefined) return this.#host.login;
    if (this.#login === undefined) {
      const given = await this.#fromEnvironment(signal);
      this.#login ??= given ?? (await this.#fromStore(signal));
      this.#isGiven = given !== undefined && this.#login !== undefined && isSameLogin(this.#login, given);
    }
    return this.#login;
  }

  /** Where the login comes from that `read` gives. */
  get source(): LoginSource {
    if (this.#host !== undefined) return 'host';
    return this.#isGiven ? { variable: ACCESS_TOKEN_VARIABLE } : 'store';
  }

  /** What is stored at this moment. Rejects with AuthError, or the reason of the signal. */
  async readStored({ signal }: { readonly signal: AbortSignal }): Promise<StoredLogin | undefined> {
    return await this.#load(signal);
  }

  /** Like `read`, with tokens that are renewed first when they are about to end. A failure to do so is only logged. */
  async current({ signal }: { readonly signal: AbortSignal }): Promise<Login | undefined> {
    const login = await this.read({ signal });
    if (login?.kind !== 'chatgpt' || !this.#isToBeRenewed(login)) return login;
    this.#triedAtMs = this.#nowMs();
    const renewal = this.#renew(login, 'proactive-expiry');
    const outcome = isStillGood(login, this.#nowMs())
      ? await withinPatience(renewal, { signal, patienceMs: PATIENCE_MS })
      : await untilAborted(renewal, signal);
    if (outcome === undefined || outcome.kind === 'failed') return login;
    return this.#login;
  }

  /**
   * What can be done about a 401, begun anew for every request. Each value is one step, done when it is asked for: a
   * stored login is first read again, then renewed; of a host its owner is asked. A key can not be renewed.
   *
   * Throws ModelError 'unauthorized', not retryable, when the login is lost, any other ModelError when it may work
   * later, or the reason of the signal.
   */
  async *recover({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<LoginRecoveryStep, void, undefined> {
    if (this.#host !== undefined) {
      yield await this.#askHost(signal);
      return;
    }
    const before = this.#login;
    if (before?.kind !== 'chatgpt') return;
    const reloaded = await this.#reload(before, signal);
    yield step('reload', reloaded, !isSameLogin(before, reloaded));
    const outcome = await untilAborted(this.#renew(reloaded, 'unauthorized-recovery'), signal);
    if (outcome.kind === 'failed') throw asModelError(outcome.failure);
    const login = this.#login;
    if (login?.kind === 'chatgpt') yield step('refresh_token', login, !isSameLogin(reloaded, login));
  }

  /** Renews a stored login now. Rejects with ModelError, or the reason of the signal. */
  async renewNow({ signal }: { readonly signal: AbortSignal }): Promise<Login | undefined> {
    const login = await this.read({ signal });
    if (login?.kind !== 'chatgpt') return login;
    const outcome = await untilAborted(this.#renew(login, 'forced'), signal);
    if (outcome.kind === 'failed') throw asModelError(outcome.failure);
    return this.#login;
  }

  /** Forgets what was read, so that the next call reads it again. */
  forget(): void {
    this.#login = undefined;
    this.#isGiven = false;
    this.#lost = undefined;
    this.#triedAtMs = undefined;
  }

  /**
   * Stores a new login in place of the one before. Rejects with AuthError ('host-owned' beside tokens of a host
   * program); a file that can not be understood is left as it is.
   */
  async save(
    login: OwnLogin,
    options: { readonly exchangedKey?: string | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    this.requireNoHost();
    this.#options.onLogin?.(login);
    const [store, { requireUnderstood }] = await Promise.all([
      this.#store(),
      import('./storage/require-understood.ts'),
    ]);
    await this.#alone(options.signal, async () => {
      await requireUnderstood(store, options);
      await store.write(documentOf(login, { exchangedKey: options.exchangedKey }));
    });
    this.forget();
    this.#login = login;
  }

  /**
   * Before a person is asked to log in: whether what comes of it can be stored. Rejects with AuthError, or the reason of
   * the signal.
   */
  async requireStorable({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.requireNoHost();
    const [store, { requireUnderstood }] = await Promise.all([
      this.#store(),
      import('./storage/require-understood.ts'),
    ]);
    await requireUnderstood(store, { signal });
    await store.probe();
  }

  /** Takes the login away, host-owned tokens too. Whether there was one. Rejects with AuthError. */
  async remove({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const hadHost = this.#host !== undefined;
    this.#host = undefined;
    const store = await this.#store();
    const removed = await this.#alone(signal, () => store.remove());
    this.forget();
    return removed || hadHost;
  }

  /**
   * From here on requests use the tokens of the program that runs this one. They are kept in memory only, and win over
   * what is stored. Throws AuthError 'unusable-key' or 'forbidden'.
   */
  useHost(tokens: HostTokens, ask: TokenHost): void {
    this.#setHost(tokens, ask);
  }

  get hasHost(): boolean {
    return this.#host !== undefined;
  }

  /** Before any other login is begun. Throws AuthError 'host-owned'. */
  requireNoHost(): void {
    if (this.#host === undefined) return;
    const what = 'the program that runs this one has handed over its own login; give it other tokens, or log out first';
    throw new AuthError('host-owned', what);
  }

  #setHost(tokens: unknown, ask: TokenHost): HostLogin {
    const login = hostLogin(tokens, { workspaces: this.#options.workspaces });
    this.#options.onLogin?.(login);
    this.#host = { login, ask };
    return login;
  }

  async #askHost(signal: AbortSignal): Promise<LoginRecoveryStep> {
    const host = this.#host;
    if (host === undefined)
      throw new ModelError('unauthorized', 'the host program took its tokens back', { retryable: false });
    const before = host.login;
    const timeoutMs = this.#options.hostTimeoutMs ?? HOST_TIMEOUT_MS;
    const tokens = await askHost(host.ask, before.accountId, { signal, timeoutMs });
    let login: Login;
    try {
      login = this.#setHost(tokens, host.ask);
    } catch (cause) {
      // The next attempt asks again: it may then get others.
      if (!(cause instanceof AuthError)) throw cause;
      throw new ModelError('unexpected-status', cause.message, { retryable: true, cause });
    }
    const credentials = credentialsOf(login);
    return { mode: 'external', phase: 'external_refresh', credentials, changed: !isSameLogin(before, login) };
  }

  #store(): Promise<LoginStore> {
    const { store, storeKind = 'file', home } = this.#options;
    this.#opened ??=
      store !== undefined
        ? Promise.resolve(store)
        : storeKind === 'file'
          ? Promise.resolve(createFileStore(home))
          : import('./storage/open-login-store.ts').then(({ openLoginStore }) => openLoginStore(storeKind, home));
    return this.#opened;
  }

  /** A login that is kept in memory only goes before it. */
  async #fromEnvironment(signal: AbortSignal): Promise<AccessTokenLogin | undefined> {
    const { environment, storeKind } = this.#options;
    const token = environment[ACCESS_TOKEN_VARIABLE]?.trim() ?? '';
    if (token === '' || storeKind === 'ephemeral') return undefined;
    return await this.#identify(token, ACCESS_TOKEN_VARIABLE, signal);
  }

  async #fromStore(signal: AbortSignal): Promise<OwnLogin | undefined> {
    const login = await this.#load(signal);
    if (login?.kind !== 'access-token') return login;
    return await this.#identify(login.token, (await this.#store()).place.name, signal);
  }

  async #identify(token: string, source: string, signal: AbortSignal): Promise<AccessTokenLogin> {
    const { environment, client } = this.#options;
    const { identifyAccessToken } = await import('./access-token.ts');
    const login = await identifyAccessToken(token, { source, environment, client, signal });
    this.#options.onLogin?.(login);
    return login;
  }

  async #load(signal: AbortSignal): Promise<StoredLogin | undefined> {
    const store = await this.#store();
    const document = await store.read({ signal });
    const login = document === undefined ? undefined : loginOf(document, store.place);
    if (login !== undefined) this.#options.onLogin?.(login);
    return login;
  }

  #isToBeRenewed(login: ChatgptLogin): boolean {
    const nowMs = this.#nowMs();
    if (login.refreshToken === '' || !isDue(login, nowMs)) return false;
    if (this.#lost !== undefined && isSameLogin(this.#lost.login, login)) return false;
    // One that is under way is waited for, whoever began it.
    if (this.#renewal !== undefined && isSameLogin(this.#renewal.of, login)) return true;
    const restedMs = this.#triedAtMs === undefined ? undefined : nowMs - this.#triedAtMs;
    return restedMs === undefined || restedMs < 0 || restedMs >= REST_MS;
  }

  /** The stored login, if it is still that of the same account. Rejects with ModelError. */
  async #reload(before: ChatgptLogin, signal: AbortSignal): Promise<ChatgptLogin> {
    let stored: StoredLogin | undefined;
    try {
      stored = await this.#load(signal);
    } catch (cause) {
      if (!(cause instanceof AuthError)) throw cause;
      throw new ModelError('unauthorized', cause.message, { retryable: false, cause });
    }
    if (stored !== undefined && isSameLogin(before, stored)) return before;
    if (stored?.kind !== 'chatgpt' || stored.accountId === undefined || stored.accountId !== before.accountId) {
      const { lost } = await import('./refresh/refresh-outcome.ts');
      throw asModelError(lost('signed-in-elsewhere'));
    }
    this.#login = stored;
    return stored;
  }

  /** One renewal at a time, shared by all who want it. It goes on when they give up. */
  #renew(login: ChatgptLogin, reason: RefreshReason): Promise<RefreshOutcome> {
    if (this.#renewal !== undefined && isSameLogin(this.#renewal.of, login)) return this.#renewal.outcome;
    const outcome = this.#renewAndAdopt(login, reason).finally(() => {
      if (this.#renewal?.outcome === outcome) this.#renewal = undefined;
    });
    // Somebody who gave up waiting does not hear of its failure.
    outcome.catch(() => undefined);
    this.#renewal = { of: login, outcome };
    return outcome;
  }

  async #renewAndAdopt(login: ChatgptLogin, reason: RefreshReason): Promise<RefreshOutcome> {
    const startedAtMs = this.#nowMs();
    const outcome = await this.#attempt(login);
    const durationMs = Math.max(0, this.#nowMs() - startedAtMs);
    if (outcome.kind === 'failed') {
      const { kind, message } = outcome.failure;
      if (kind === 'permanent') this.#lost = { login, failure: outcome.failure };
      this.#options.log?.({ kind: 'renewal-failed', reason, permanent: kind === 'permanent', message, durationMs });
      return outcome;
    }
    const stored = await this.#load(new AbortController().signal);
    // A new login in this process meanwhile wins.
    if (stored !== undefined && this.#login !== undefined && isSameLogin(this.#login, login)) {
      this.#login = stored.kind === 'access-token' ? undefined : stored;
    }
    const by = outcome.kind === 'refreshed' ? 'this' : 'another';
    this.#options.log?.({ kind: 'login-renewed', reason, by, durationMs });
    return outcome;
  }

  async #attempt(login: ChatgptLogin): Promise<RefreshOutcome> {
    const known = this.#lost;
    if (known !== undefined && isSameLogin(known.login, login)) {
      // Somebody may have logged in again; else no server is asked a second time.
      const stored = await this.#load(new AbortController().signal).catch(() => undefined);
      if (stored === undefined || isSameLogin(stored, login)) return { kind: 'failed', failure: known.failure };
    }
    const { environment, client, home, store, storeKind = 'file', refreshTimeoutMs } = this.#options;
    const { renew } = await import('./refresh/renew.ts');
    return await renew(login, {
      home,
      store: await this.#store(),
      storeKind: store === undefined ? storeKind : undefined,
      environment,
      client,
      nowMs: this.#nowMs,
      timeoutMs: refreshTimeoutMs,
    });
  }

  async #alone<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    if ((this.#options.storeKind ?? 'file') === 'ephemeral') return await work();
    const [{ lockLogin }, { changeLockPath }, { LOCK_WAIT_MS }] = await Promise.all([
      import('./storage/change-login.ts'),
      import('./refresh/lock-paths.ts'),
      import('./refresh/refresh-stored.ts'),
    ]);
    await using _lock = await lockLogin(changeLockPath(this.#options.home), { signal, waitMs: LOCK_WAIT_MS });
    return await work();
  }
}

function step(phase: LoginRecoveryStep['phase'], login: ChatgptLogin, changed: boolean): LoginRecoveryStep {
  return { mode: 'managed', phase, credentials: credentialsOf(login), changed };
}

function asModelError(failure: RefreshFailure): ModelError {
  return failure.kind === 'permanent'
    ? new ModelError('unauthorized', failure.message, { retryable: false })
    : new ModelError(failure.code, failure.message, { retryable: failure.retryable });
}
