import { type CredentialsSourceOptions, createCredentialsSource, type Login, LoginKeeper } from '@quire/auth';
import { systemClock } from '@quire/host';
import { type ProbeAnswer, type ProbeOptions, probeProvider, requestUrl } from '@quire/model-client';
import { createDialer, type Dialer, probeWay, type WayReport } from '@quire/network';
import type { Credentials } from '@quire/protocol';
import { type Config, type LoadConfigOptions, loadConfig, loadConfigTools, resolveHome } from '@quire/store';
import { clientIdentity } from '../login/place.ts';
import { VERSION } from '../version.ts';
import { workingDirectory } from '../working-directory.ts';
import type { DoctorChoices } from './arguments.ts';

type Explanation = Awaited<ReturnType<Awaited<ReturnType<typeof loadConfigTools>>['explainConfig']>>;

export type HomeReading =
  | { readonly kind: 'home'; readonly path: string }
  | { readonly kind: 'unusable'; readonly error: unknown };

export interface ConfigReading {
  /** Absent: not even the settings without the user's file can be had. */
  readonly config: Config | undefined;
  /** Why what is configured can not be used; `config` is then what holds without it. */
  readonly error: unknown;
  readonly explanation: Explanation | undefined;
  /** What was ignored or replaced, one sentence each. */
  readonly warnings: readonly string[];
}

export interface CredentialsReading {
  readonly login: Login | undefined;
  /** What requests would be sent with. */
  readonly credentials: Credentials;
  /** What can be done when they are refused. */
  readonly remedy?: string | undefined;
  /** Why there are none, or why the stored login can not be read. */
  readonly error: unknown;
}

/** For the connection, and then for each answer. Milliseconds. */
const WAY_TIMEOUT_MS = 4_000;
const ANSWER_TIMEOUT_MS = 4_000;

/** What several checks need, found out once, and only when one of them asks. Renews and writes nothing. */
export class Scene implements Disposable {
  readonly choices: DoctorChoices;
  readonly environment: NodeJS.ProcessEnv;
  readonly home: HomeReading;
  readonly signal: AbortSignal;
  readonly #dialer: Dialer;
  readonly #known = new Map<string, unknown>();

  constructor(options: {
    readonly choices: DoctorChoices;
    readonly environment: NodeJS.ProcessEnv;
    readonly homeDirectory: string;
    readonly signal: AbortSignal;
  }) {
    this.choices = options.choices;
    this.environment = options.environment;
    this.signal = options.signal;
    this.home = homeIn(options);
    this.#dialer = createDialer({ environment: options.environment });
  }

  [Symbol.dispose](): void {
    this.#dialer.close();
  }

  config(): Promise<ConfigReading> {
    return this.#once('config', async () => {
      const options = this.configOptions();
      if (options === undefined) {
        return {
          config: undefined,
          error: this.home.kind === 'unusable' ? this.home.error : undefined,
          explanation: undefined,
          warnings: [],
        };
      }
      const { explainConfig } = await loadConfigTools();
      const explanation = await explainConfig(options).catch(() => undefined);
      try {
        const config = await loadConfig(options);
        return { config, error: undefined, explanation, warnings: config.warnings.map(withoutFoundValue) };
      } catch (error) {
        const plain = { ...options, overrides: [], profile: undefined, ignoreUserConfig: true };
        return { config: await loadConfig(plain).catch(() => undefined), error, explanation, warnings: [] };
      }
    });
  }

  /** Of what is examined; `undefined` without a home folder. */
  configOptions(): LoadConfigOptions | undefined {
    if (this.home.kind === 'unusable') return undefined;
    const { directory, overrides, profile } = this.choices;
    return {
      home: this.home.path,
      cwd: workingDirectory(directory),
      overrides,
      profile,
      environment: this.environment,
    };
  }

  credentials(): Promise<CredentialsReading> {
    return this.#once('credentials', async () => {
      const { config } = await this.config();
      const none: Credentials = { kind: 'none' };
      if (config === undefined || this.home.kind === 'unusable') {
        return { login: undefined, credentials: none, error: undefined };
      }
      const { signal, environment } = this;
      const home = this.home.path;
      const keeper = new LoginKeeper({ home, environment, storeKind: config.credentialsStore });
      const options: CredentialsSourceOptions = {
        provider: config.provider,
        home,
        environment,
        apiKeyFromEnvironment: true,
        withoutRenewal: true,
        keeper,
      };
      // The program that prints a token is not run here: that may cost something, or ask a person.
      if (config.providerTokenCommand !== undefined) return { login: undefined, credentials: none, error: undefined };
      try {
        const source = createCredentialsSource(options);
        const credentials = await source.current({ signal });
        const login = config.provider.requiresOpenaiAuth ? await keeper.read({ signal }) : undefined;
        return { login, credentials, remedy: source.remedy, error: undefined };
      } catch (error) {
        signal.throwIfAborted();
        return { login: await keeper.read({ signal }).catch(() => undefined), credentials: none, error };
      }
    });
  }

  /** `undefined`: there is no provider to connect to. Rejects with ModelError for an address that is none. */
  way(): Promise<WayReport | undefined> {
    return this.#once('way', async () => {
      const { config } = await this.config();
      if (config === undefined) return undefined;
      const { credentials } = await this.credentials();
      const url = requestUrl(config.provider, credentials, 'responses');
      const { environment, signal } = this;
      return await probeWay(url, { environment, signal, timeoutMs: WAY_TIMEOUT_MS });
    });
  }

  /** Why the provider is not asked anything; `undefined` when it can be. */
  async obstacle(): Promise<string | undefined> {
    const way = await this.way();
    if (way === undefined) return 'the configuration can not be used (see config)';
    if (way.problem !== undefined) return 'there is no way to the provider (see proxy)';
    const failed = way.stages.find(({ outcome }) => outcome === 'failed')?.name;
    return failed === undefined ? undefined : `there is no way to the provider (see ${failed})`;
  }

  /** Call it only when there is no obstacle. Rejects with ModelError for a header that can not be sent. */
  answer(): Promise<ProbeAnswer> {
    return this.#once('answer', async () => probeProvider(await this.probeOptions()));
  }

  async probeOptions(): Promise<ProbeOptions> {
    const [{ config }, { credentials, remedy }] = await Promise.all([this.config(), this.credentials()]);
    if (config === undefined) throw new Error('there is no configuration to take a provider from');
    const { environment, signal } = this;
    return {
      ...clientIdentity(environment),
      provider: config.provider,
      credentials,
      remedy,
      dialer: this.#dialer,
      clientVersion: VERSION,
      clock: systemClock,
      environment,
      signal,
      timeoutMs: ANSWER_TIMEOUT_MS,
    };
  }

  #once<Value>(name: string, find: () => Promise<Value>): Promise<Value> {
    const known = this.#known.get(name);
    // Each name stands for one type: that of the method that uses it.
    if (known !== undefined) return known as Promise<Value>;
    const finding = find();
    // Whoever asks hears of the failure; nobody may ask.
    finding.catch(() => undefined);
    this.#known.set(name, finding);
    return finding;
  }
}

/** Of an error, with the place of a value that is wrong and without the value: it may be anything. */
export function shownMessage(error: unknown): string {
  return withoutFoundValue(error instanceof Error ? error.message : String(error));
}

function withoutFoundValue(text: string): string {
  return text.replaceAll(/, found "(?:[^"\\]|\\.)*"/g, '');
}

function homeIn(options: { readonly environment: NodeJS.ProcessEnv; readonly homeDirectory: string }): HomeReading {
  try {
    return { kind: 'home', path: resolveHome(options) };
  } catch (error) {
    return { kind: 'unusable', error };
  }
}
