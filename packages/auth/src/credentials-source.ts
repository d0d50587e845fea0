import type { Credentials, ModelProvider } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import { credentialsOf } from './credentials/login.ts';
import { LoginKeeper, type LoginRecoveryStep } from './login-keeper.ts';

export interface CredentialsSource {
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
  /** Tokens are taken as they are stored, due or not: nothing is asked and nothing written. Default false. */
  readonly withoutRenewal?: boolean;
  /** Owns the stored login of `home`. Absent: one of its own, over `auth.json`. */
  readonly keeper?: LoginKeeper;
}

/**
 * Credentials for one provider, the first that applies: the variable named by its `env_key`, its literal
 * bearer token, and, only when it uses the stored login, `CODEX_API_KEY` and then the login.
 */
export function createCredentialsSource(options: CredentialsSourceOptions): CredentialsSource {
  const { home, environment } = options;
  const keeper = options.keeper ?? new LoginKeeper({ home, environment });
  let given: Credentials | undefined;
  return {
    async current({ signal }) {
      signal.throwIfAborted();
      given ??= givenCredentials(options);
      return requireUsable(given ?? (await storedCredentials(keeper, options, signal)), options);
    },
    async *recover({ signal }) {
      given ??= givenCredentials(options);
      if (given === undefined) yield* keeper.recover({ signal });
    },
  };
}

/** What configuration and environment say; `undefined`: the login counts. */
function givenCredentials(options: CredentialsSourceOptions): Credentials | undefined {
  const { provider, environment } = options;
  if (provider.envKey !== undefined) return { kind: 'api-key', token: keyFromVariable(options, provider.envKey) };
  if (provider.bearerToken !== undefined) return { kind: 'api-key', token: provider.bearerToken };
  if (!provider.requiresOpenaiAuth) return { kind: 'none' };
  const key = options.apiKeyFromEnvironment ? environment['CODEX_API_KEY']?.trim() : undefined;
  return key === undefined || key === '' ? undefined : { kind: 'api-key', token: key };
}

async function storedCredentials(
  keeper: LoginKeeper,
  { provider, withoutRenewal = false }: CredentialsSourceOptions,
  signal: AbortSignal,
): Promise<Credentials> {
  const login = await (withoutRenewal ? keeper.read({ signal }) : keeper.current({ signal }));
  if (login !== undefined) return credentialsOf(login);
  throw new AuthError(
    'no-credentials',
    `no credentials for the model provider "${provider.id}": set CODEX_API_KEY, or try without a key: \`npm run demo\` or \`quire simulate\`; \`quire login\` logs in`,
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
