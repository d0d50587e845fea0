import { type Credentials, ModelError, type ModelProvider } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import type { CommandTokens } from './command-tokens.ts';
import { type Account, accountOf, credentialsOf, type Login } from './credentials/login.ts';
import { LoginKeeper, type LoginRecoveryStep } from './login-keeper.ts';

export interface CredentialsSource {
  /** What a person can do when what it gave last is refused: a clause without secrets. */
  readonly remedy: string | undefined;
  /** Whose login it gave last; absent for everything that tells nothing of its owner. */
  readonly account?: Account | undefined;
  /**
   * The credentials for the next request. Keys and the stored login are read at the first call and kept from then on, a
   * failure is not kept; tokens that are about to end are renewed first. Rejects with AuthError, or with the reason of
   * `signal`.
   */
  current(options: { readonly signal: AbortSignal }): Promise<Credentials>;
  /**
   * What can be done about a 401, begun anew for every request; ends at once for a key. Throws ModelError, or the
   * reason of `signal`.
   */
  recover(options: { readonly signal: AbortSignal }): AsyncIterable<LoginRecoveryStep>;
}

export interface CredentialsSourceOptions {
  readonly provider: Pick<ModelProvider, 'id' | 'envKey' | 'envKeyInstructions' | 'bearerToken' | 'requiresOpenaiAuth'>;
  /** Absolute path of the home directory of the agent; `auth.json` is looked up in it. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether `CODEX_API_KEY` counts here. Entry points decide: `exec` does, others may not. */
  readonly apiKeyFromEnvironment: boolean;
  /** What messages call the place of that key. Default: `CODEX_API_KEY`. */
  readonly apiKeyName?: string;
  /** Tokens are taken as they are stored, due or not: nothing is asked and nothing written. Default false. */
  readonly withoutRenewal?: boolean;
  /** Owns the stored login of `home`. Absent: one of its own, over `auth.json`. */
  readonly keeper?: LoginKeeper;
  /** Prints the tokens of the provider; nothing else counts then. */
  readonly commandTokens?: CommandTokens | undefined;
}

/**
 * Credentials for one provider, the first that applies: what its own program prints, the variable named by its `env_key`,
 * its literal bearer token, and, only when it uses the stored login, `CODEX_API_KEY` tokens of
 * a host program, `CODEX_ACCESS_TOKEN` and then what is stored.
 */
export function createCredentialsSource(options: CredentialsSourceOptions): CredentialsSource {
  const { home, environment, commandTokens } = options;
  if (commandTokens !== undefined) return commandSource(commandTokens);
  const keeper = options.keeper ?? new LoginKeeper({ home, environment });
  let given: Given | undefined;
  let login: Login | undefined;
  return {
    get remedy() {
      return given?.remedy ?? (login === undefined ? undefined : REMEDIES[login.kind]);
    },
    get account() {
      return login && accountOf(login);
    },
    async current({ signal }) {
      signal.throwIfAborted();
      given ??= givenCredentials(options);
      if (given !== undefined) return requireUsable(given.credentials, options);
      login = await storedLogin(keeper, options, signal);
      return requireUsable(credentialsOf(login), options);
    },
    async *recover({ signal }) {
      given ??= givenCredentials(options);
      if (given === undefined) yield* keeper.recover({ signal });
    },
  };
}

function commandSource(tokens: CommandTokens): CredentialsSource {
  let given: string | undefined;
  return {
    remedy: `its token was refused: check the program that model_providers.${tokens.providerId}.auth names`,
    async current(options) {
      given = await tokens.current(options);
      return { kind: 'api-key', token: given };
    },
    async *recover(options) {
      const refused = given;
      if (refused === undefined) return;
      try {
        given = await tokens.renew(refused, options);
      } catch (cause) {
        if (!(cause instanceof AuthError)) throw cause;
        throw new ModelError('unauthorized', cause.message, { retryable: false, cause });
      }
      const credentials = { kind: 'api-key', token: given } as const;
      yield { mode: 'external', phase: 'external_refresh', credentials, changed: given !== refused };
    },
  };
}

/** What configuration and environment say; `undefined`: the login counts. */
function givenCredentials(options: CredentialsSourceOptions): Given | undefined {
  const { provider, environment } = options;
  const { id, envKey, envKeyInstructions, bearerToken } = provider;
  if (envKey !== undefined) {
    const instructions = envKeyInstructions === undefined ? '' : ` (${envKeyInstructions})`;
    return givenKey(
      keyFromVariable(options, envKey),
      `the key was refused: check the variable ${envKey}${instructions}`,
    );
  }
  if (bearerToken !== undefined) {
    return givenKey(bearerToken, `the key was refused: check model_providers.${id}.experimental_bearer_token`);
  }
  if (!provider.requiresOpenaiAuth) return { credentials: { kind: 'none' }, remedy: wantsKey(id) };
  const key = options.apiKeyFromEnvironment ? environment['CODEX_API_KEY']?.trim() : undefined;
  if (key === undefined || key === '') return undefined;
  const { apiKeyName = 'CODEX_API_KEY' } = options;
  return givenKey(key, `the key was refused: check ${apiKeyName}, or leave it away and log in with quire login`);
}

interface Given {
  readonly credentials: Credentials;
  readonly remedy: string;
}

function givenKey(token: string, remedy: string): Given {
  return { credentials: { kind: 'api-key', token }, remedy };
}

function wantsKey(id: string): string {
  return `this provider wants a key: name the variable that holds it as model_providers.${id}.env_key`;
}

const REMEDIES: Readonly<Record<Login['kind'], string>> = {
  'api-key': 'the stored key was refused: store another with quire login --with-api-key',
  chatgpt: 'the login is no longer accepted: log in again with quire login',
  'access-token':
    'the access token was refused: make a new one, and set CODEX_ACCESS_TOKEN or use quire login --with-access-token',
  'chatgpt-host': 'the tokens of the host program are not accepted: log in again there',
};

async function storedLogin(
  keeper: LoginKeeper,
  { provider, withoutRenewal = false }: CredentialsSourceOptions,
  signal: AbortSignal,
): Promise<Login> {
  const login = await (withoutRenewal ? keeper.read({ signal }) : keeper.current({ signal }));
  if (login !== undefined) return login;
  throw new AuthError(
    'no-credentials',
    `no credentials for the model provider "${provider.id}": log in with \`quire login\` or set CODEX_API_KEY; to try without a key: \`npm run demo\` or \`quire simulate\``,
  );
}

/** Found out here, before anything is sent or written. */
function requireUsable(credentials: Credentials, { provider }: CredentialsSourceOptions): Credentials {
  if (credentials.kind === 'none') return credentials;
  const token = credentials.kind === 'api-key' ? credentials.token : credentials.accessToken;
  if (/^[\x21-\x7e]+$/.test(token)) return credentials;
  throw new AuthError(
    'unusable-key',
    `the key for the model provider "${provider.id}" holds spaces, line ends or other characters that can not be sent; set it anew`,
  );
}

function keyFromVariable(options: CredentialsSourceOptions, name: string): string {
  const value = options.environment[name]?.trim();
  if (value !== undefined && value !== '') return value;
  const { id, envKeyInstructions } = options.provider;
  const instructions = envKeyInstructions === undefined ? '' : ` (${envKeyInstructions})`;
  throw new AuthError(
    'missing-variable',
    `the model provider "${id}" takes its key from the environment variable ${name}, which is not set${instructions}`,
  );
}
