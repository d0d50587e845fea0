import { join } from 'node:path';
import type { Credentials, ModelProvider } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import { readAuthFile } from './auth-file.ts';

export interface CredentialsSource {
  /**
   * The credentials for the next request. Read at the first call and kept from then on; a failure is
   * not kept. Rejects with AuthError, or with the reason of `signal`.
   */
  current(options: { readonly signal: AbortSignal }): Promise<Credentials>;
}

export interface CredentialsSourceOptions {
  readonly provider: Pick<ModelProvider, 'id' | 'envKey' | 'envKeyInstructions' | 'bearerToken' | 'requiresOpenaiAuth'>;
  /** Absolute path of the home directory of the agent; `auth.json` is looked up in it. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether `CODEX_API_KEY` counts here. Entry points decide: `exec` does, others may not. */
  readonly apiKeyFromEnvironment: boolean;
}

/**
 * Credentials for one provider, the first that applies: the variable named by its `env_key`, its literal
 * bearer token, and, only when it uses the stored login, `CODEX_API_KEY` and then `auth.json`.
 */
export function createCredentialsSource(options: CredentialsSourceOptions): CredentialsSource {
  let known: Credentials | undefined;
  return {
    async current({ signal }) {
      signal.throwIfAborted();
      known ??= requireUsable(await findCredentials(options, signal), options);
      return known;
    },
  };
}

async function findCredentials(options: CredentialsSourceOptions, signal: AbortSignal): Promise<Credentials> {
  const { provider, environment } = options;
  if (provider.envKey !== undefined) return { kind: 'api-key', token: keyFromVariable(options, provider.envKey) };
  if (provider.bearerToken !== undefined) return { kind: 'api-key', token: provider.bearerToken };
  if (!provider.requiresOpenaiAuth) return { kind: 'none' };

  const key = options.apiKeyFromEnvironment ? environment['CODEX_API_KEY']?.trim() : undefined;
  if (key !== undefined && key !== '') return { kind: 'api-key', token: key };

  const stored = await readAuthFile(join(options.home, 'auth.json'), { signal });
  if (stored !== undefined) return stored;
  throw new AuthError(
    'no-credentials',
    `no credentials for the model provider "${provider.id}": set CODEX_API_KEY, or try without a key: \`npm run demo\` or \`quire simulate\``,
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
