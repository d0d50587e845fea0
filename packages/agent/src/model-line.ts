import {
  AuthError,
  authFileWarning,
  CommandTokens,
  type CredentialsSource,
  createCredentialsSource,
  enforceRestrictions,
  LoginKeeper,
  type LoginLog,
  type StoreKind,
  secretsOf,
} from '@quire/auth';
import type { ModelPort, ThreadSettings } from '@quire/core';
import { describeHost, runProgram, systemClock, systemEntropy } from '@quire/host';
import { createFallbackMemory, createModelClient, type ModelClientObserver, RateLimitStore } from '@quire/model-client';
import type { ModelProvider, ThreadId } from '@quire/protocol';
import { type Config, createRedactor, type ProviderTokenCommand } from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { QuireOptions } from './api.ts';
import { type Environment, programEnvironment } from './environment.ts';
import type { KnownSecrets } from './secrets.ts';
import type { Site } from './site.ts';
import { VERSION } from './version.ts';

const DEFAULT_ORIGINATOR = 'quire_sdk';

/** `off`: plain HTTP. */
export type WebSocketChoice = 'off' | 'when-supported';

/**
 * WebSocket is used when something asks for it: the feature, the model, or a provider of the user's own that
 * is declared to support it. The feature switched off wins.
 */
export function webSocketChoice(config: Config, settings: ThreadSettings): WebSocketChoice {
  const feature = config.features['responses_websockets'] ?? config.features['responses_websockets_v2'];
  if (feature === false) return 'off';
  const declared = config.provider.id !== 'openai' && config.provider.supportsWebsockets === true;
  return feature === true || settings.model.prefersWebsockets || declared ? 'when-supported' : 'off';
}

/** Makes the lines to providers for the threads of one program, and keeps what they learn for each other. */
export class ModelLines {
  readonly originator: string;
  readonly userAgent: string;
  readonly #environment: Environment;
  readonly #apiKey: string | undefined;
  readonly #tokens: QuireOptions['tokens'];
  readonly #secrets: KnownSecrets;
  readonly #fallbackMemory = createFallbackMemory({ clock: systemClock });
  readonly #rateLimits = new RateLimitStore({ clock: systemClock });
  readonly #keepers = new Map<string, LoginKeeper>();
  readonly #commandTokens = new Map<string, CommandTokens>();
  readonly #onLogin: (record: LoginLog) => void;

  /** @param options `onLogin` is told of renewals of the login; must not throw */
  constructor(
    environment: Environment,
    options: Pick<QuireOptions, 'apiKey' | 'tokens' | 'originator'> & {
      readonly secrets: KnownSecrets;
      readonly onLogin: (record: LoginLog) => void;
    },
  ) {
    const override = environment['CODEX_INTERNAL_ORIGINATOR_OVERRIDE'];
    this.originator = override === undefined || override === '' ? (options.originator ?? DEFAULT_ORIGINATOR) : override;
    this.userAgent = userAgent(this.originator, environment);
    this.#environment = environment;
    this.#apiKey = options.apiKey;
    this.#tokens = options.tokens;
    this.#secrets = options.secrets;
    if (options.apiKey !== undefined) this.#secrets.noteTokens([options.apiKey]);
    this.#onLogin = options.onLogin;
  }

  /** @throws AuthError when what would be used is not allowed; a stored login is taken away then */
  async credentials({ config, home, signal }: Site): Promise<CredentialsSource> {
    const {
      provider,
      providerTokenCommand,
      forcedLoginMethod: method,
      forcedWorkspaceIds: workspaces,
      credentialsStore,
    } = config;
    const environment =
      this.#apiKey === undefined ? this.#environment : { ...this.#environment, CODEX_API_KEY: this.#apiKey };
    const keeper = this.#keeper(home, { storeKind: credentialsStore, workspaces });
    // Whoever hands tokens over means them, whatever else is in the environment.
    const apiKeyFromEnvironment = this.#tokens === undefined;
    if (provider.requiresOpenaiAuth) {
      this.#handOver(keeper, method);
      const text = apiKeyFromEnvironment ? (environment['CODEX_API_KEY']?.trim() ?? '') : '';
      const key = text === '' ? undefined : { text, name: this.#apiKey === undefined ? 'CODEX_API_KEY' : 'apiKey' };
      await enforceRestrictions(keeper, { method, workspaces }, { key, signal });
    }
    const commandTokens = providerTokenCommand && this.#tokensOf(providerTokenCommand, provider);
    return createCredentialsSource({
      provider,
      home,
      environment,
      apiKeyFromEnvironment,
      ...(this.#apiKey === undefined ? {} : { apiKeyName: 'apiKey' }),
      keeper,
      commandTokens,
    });
  }

  /** What a person should know of the login that is used, though it can be used. */
  async warnings({ config, home }: Site): Promise<readonly string[]> {
    const { provider, credentialsStore } = config;
    const isStored = credentialsStore === 'file' || credentialsStore === 'auto';
    const isOther = this.#tokens !== undefined || this.#apiKey !== undefined || this.#environment['CODEX_API_KEY'];
    if (!provider.requiresOpenaiAuth || !isStored || isOther) return [];
    const warning = await authFileWarning(home);
    return warning === undefined ? [] : [warning];
  }

  /** @throws AuthError 'forbidden', 'unusable-key'; the stored login stays as it is then */
  #handOver(keeper: LoginKeeper, method: Config['forcedLoginMethod']): void {
    const tokens = this.#tokens;
    if (tokens === undefined || keeper.hasHost) return;
    if (this.#apiKey !== undefined) {
      throw new AgentError('invalid-argument', 'apiKey and tokens do not go together; give one of them');
    }
    if (method === 'api') {
      throw new AuthError('forbidden', 'forced_login_method allows only API keys, not the tokens of this program');
    }
    keeper.useHost(tokens, tokens);
  }

  /** One for all threads with the same configuration. */
  #tokensOf(program: ProviderTokenCommand, provider: ModelProvider): CommandTokens {
    const key = JSON.stringify([provider.id, program]);
    let tokens = this.#commandTokens.get(key);
    if (tokens === undefined) {
      const { command, args, cwd, timeoutMs, refreshIntervalMs } = program;
      const environment = programEnvironment(this.#environment, provider);
      tokens = new CommandTokens({
        providerId: provider.id,
        command,
        refreshIntervalMs,
        run: ({ signal }) => runProgram({ argv: [command, ...args], cwd, environment, timeoutMs, signal }),
        redact: (text) => createRedactor([...this.#secrets.list(), ...args]).redactText(text),
        onToken: (token) => this.#secrets.noteTokens([token]),
      });
      this.#commandTokens.set(key, tokens);
    }
    return tokens;
  }

  /** One owner of the login for all threads that look for it at one place. */
  #keeper(
    home: string,
    options: { readonly storeKind: StoreKind; readonly workspaces: readonly string[] | undefined },
  ): LoginKeeper {
    const { storeKind, workspaces } = options;
    const key = JSON.stringify([home, storeKind, workspaces]);
    let keeper = this.#keepers.get(key);
    if (keeper === undefined) {
      keeper = new LoginKeeper({
        home,
        storeKind,
        environment: this.#environment,
        onLogin: (login) => this.#secrets.noteTokens(secretsOf(login)),
        log: this.#onLogin,
        client: { originator: this.originator, userAgent: this.userAgent },
        ...(workspaces === undefined ? {} : { workspaces }),
      });
      this.#keepers.set(key, keeper);
    }
    return keeper;
  }

  open(thread: {
    readonly config: Config;
    readonly credentials: CredentialsSource;
    readonly threadId: ThreadId;
    readonly webSocket: WebSocketChoice;
    /** What kind of side task the thread is. */
    readonly subagent: string | undefined;
    readonly observer?: ModelClientObserver | undefined;
  }): ModelPort {
    const { config, subagent, observer, ...given } = thread;
    return createModelClient({
      ...given,
      ...(observer === undefined ? {} : { observer }),
      ...(subagent === undefined ? {} : { subagent }),
      provider: config.provider,
      originator: this.originator,
      clientVersion: VERSION,
      userAgent: this.userAgent,
      clock: systemClock,
      entropy: systemEntropy,
      environment: this.#environment,
      fallbackMemory: this.#fallbackMemory,
      rateLimits: this.#rateLimits,
      requestCompression: config.features['enable_request_compression'] ?? false,
    });
  }
}

function userAgent(originator: string, environment: Environment): string {
  const { osName, osVersion, arch, terminal } = describeHost(environment);
  const text = `${originator}/${VERSION} (${osName} ${osVersion}; ${arch}) ${terminal}`;
  return text.replace(/[^\x20-\x7e]/g, '_');
}
