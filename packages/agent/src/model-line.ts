import {
  type CredentialsSource,
  createCredentialsSource,
  enforceRestrictions,
  LoginKeeper,
  type StoreKind,
} from '@quire/auth';
import type { ModelPort, ThreadSettings } from '@quire/core';
import { describeHost, systemClock, systemEntropy } from '@quire/host';
import { createFallbackMemory, createModelClient, type ModelClientObserver, RateLimitStore } from '@quire/model-client';
import type { ThreadId } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { QuireOptions } from './api.ts';
import type { Environment } from './environment.ts';
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
  readonly #environment: Environment;
  readonly #apiKey: string | undefined;
  readonly #fallbackMemory = createFallbackMemory({ clock: systemClock });
  readonly #rateLimits = new RateLimitStore({ clock: systemClock });
  readonly #keepers = new Map<string, LoginKeeper>();

  constructor(environment: Environment, options: Pick<QuireOptions, 'apiKey' | 'originator'>) {
    const override = environment['CODEX_INTERNAL_ORIGINATOR_OVERRIDE'];
    this.originator = override === undefined || override === '' ? (options.originator ?? DEFAULT_ORIGINATOR) : override;
    this.#environment = environment;
    this.#apiKey = options.apiKey;
  }

  /** @throws AuthError when the login that is there is not allowed; it is taken away then */
  async credentials({ config, home, signal }: Site): Promise<CredentialsSource> {
    const { provider, forcedLoginMethod: method, forcedWorkspaceIds: workspaces, credentialsStore } = config;
    const environment =
      this.#apiKey === undefined ? this.#environment : { ...this.#environment, CODEX_API_KEY: this.#apiKey };
    const keeper = this.#keeper(home, { storeKind: credentialsStore, workspaces });
    if (provider.requiresOpenaiAuth) {
      const key = environment['CODEX_API_KEY']?.trim();
      await enforceRestrictions(keeper, { method, workspaces }, { key: key === '' ? undefined : key, signal });
    }
    return createCredentialsSource({ provider, home, environment, apiKeyFromEnvironment: true, keeper });
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
        client: { originator: this.originator, userAgent: userAgent(this.originator, this.#environment) },
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
      userAgent: userAgent(this.originator, this.#environment),
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
