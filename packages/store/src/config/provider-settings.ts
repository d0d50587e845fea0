import type { ModelProvider, ProviderCapabilities } from '@quire/protocol';
import type { Environment } from '../home.ts';
import { ConfigError } from './config-error.ts';
import { isOssProviderId, OSS_PROVIDER_IDS, type OssProviderId, ossBaseUrl } from './oss-provider.ts';
import type { SettingPath, SettingReader } from './setting-reader.ts';
import { type ProviderTokenCommand, readTokenCommand } from './token-command.ts';

export interface ProviderSettings {
  /** The selected one. */
  readonly provider: ModelProvider;
  /** Every id that `model_provider` may name, in alphabetical order. */
  readonly providerIds: readonly string[];
  /** Those that the configuration defines beside the selected one. */
  readonly otherProviders: readonly ModelProvider[];
  /** Prints the token for the selected one. Goes before every other kind of credentials. */
  readonly providerTokenCommand: ProviderTokenCommand | undefined;
  /** The local server that `--oss` means. */
  readonly ossProvider: OssProviderId | undefined;
}

const MAX_RETRIES = 100;
/** Timers take no more: 2^31 - 1. */
const MAX_TIMEOUT_MS = 2_147_483_647;

const DEFAULTS = {
  baseUrl: undefined,
  envKey: undefined,
  envKeyInstructions: undefined,
  bearerToken: undefined,
  queryParams: {},
  httpHeaders: {},
  envHttpHeaders: {},
  requestMaxRetries: 4,
  streamMaxRetries: 5,
  streamIdleTimeoutMs: 300_000,
  requiresOpenaiAuth: false,
  supportsWebsockets: false,
  websocketConnectTimeoutMs: 15_000,
  wireApi: 'responses',
} as const satisfies Omit<ModelProvider, 'id' | 'name'>;

const BUILT_IN: readonly ModelProvider[] = [
  {
    ...DEFAULTS,
    id: 'openai',
    name: 'OpenAI',
    supportsWebsockets: true,
    envHttpHeaders: { 'OpenAI-Organization': 'OPENAI_ORGANIZATION', 'OpenAI-Project': 'OPENAI_PROJECT' },
    requiresOpenaiAuth: true,
  },
  { ...DEFAULTS, id: 'ollama', name: 'Ollama', baseUrl: 'http://localhost:11434/v1' },
  { ...DEFAULTS, id: 'lmstudio', name: 'LM Studio', baseUrl: 'http://localhost:1234/v1' },
];

/** All providers of the configuration are checked, not only the selected one. */
export function readProviderSettings(
  reader: SettingReader,
  { environment, warnings }: { readonly environment: Environment; readonly warnings: string[] },
): ProviderSettings {
  const tokenCommands = new Map<string, ProviderTokenCommand>();
  const providers = new Map(BUILT_IN.map((provider) => [provider.id, withBaseUrlOverride(provider, reader)]));
  for (const id of reader.tableKeys('model_providers')) {
    if (isBuiltIn(id)) {
      warnings.push(
        `model_providers.${id}: the built-in provider can not be redefined; use another id, such as "my-${id}"`,
      );
    } else {
      providers.set(id, readProvider(reader, id, warnings));
      const command = readTokenCommand(reader, id);
      if (command !== undefined) tokenCommands.set(id, command);
    }
  }
  const providerIds = [...providers.keys()].sort();
  const selected = reader.string({ key: 'model_provider' }) ?? 'openai';
  const provider = providers.get(selected);
  if (provider !== undefined) {
    const ossProvider = reader.oneOf({ key: 'oss_provider' }, OSS_PROVIDER_IDS);
    return {
      provider: withLocalAddress(provider, environment),
      providerIds,
      otherProviders: [...providers.values()].filter(({ id }) => id !== selected && !isBuiltIn(id)),
      providerTokenCommand: tokenCommands.get(selected),
      ossProvider,
    };
  }
  const source = reader.sourceOf({ key: 'model_provider' });
  throw new ConfigError(
    'unknown-provider',
    `${source ?? 'configuration'}: model_provider ${JSON.stringify(selected)} is not known; ` +
      `known are ${providerIds.join(', ')}; define others as [model_providers.<id>]`,
    { key: 'model_provider', path: ['model_provider'], ...(source === undefined ? {} : { source }) },
  );
}

function isBuiltIn(id: string): boolean {
  return BUILT_IN.some((provider) => provider.id === id);
}

function withBaseUrlOverride(provider: ModelProvider, reader: SettingReader): ModelProvider {
  if (provider.id !== 'openai') return provider;
  const setting = { key: 'openai_base_url' } as const;
  if (reader.string(setting) === '') return provider;
  return { ...provider, baseUrl: reader.url(setting) };
}

/** @throws ConfigError 'invalid-value' for a variable that holds no address */
function withLocalAddress(provider: ModelProvider, environment: Environment): ModelProvider {
  if (!isOssProviderId(provider.id)) return provider;
  return { ...provider, baseUrl: ossBaseUrl(environment) ?? provider.baseUrl };
}

function readProvider(reader: SettingReader, id: string, warnings: string[]): ModelProvider {
  const table = reader.requireEntryTable('model_providers', id);
  const name = reader.nonEmptyString({ key: 'model_providers.<id>.name', id });
  if (table !== undefined && Object.hasOwn(table, 'aws')) {
    warnings.push(`model_providers.${id}.aws is not supported and is ignored; use env_key or auth`);
  }
  const at = (key: ProviderKey): SettingPath => ({ key: `model_providers.<id>.${key}`, id });
  const retries = { minimum: 0, cap: MAX_RETRIES };
  const provider = {
    id,
    baseUrl: reader.url(at('base_url')),
    envKey: reader.nonEmptyString(at('env_key')),
    envKeyInstructions: reader.string(at('env_key_instructions')),
    bearerToken: reader.string(at('experimental_bearer_token')),
    queryParams: reader.stringMap(at('query_params')) ?? DEFAULTS.queryParams,
    httpHeaders: reader.stringMap(at('http_headers')) ?? DEFAULTS.httpHeaders,
    envHttpHeaders: reader.stringMap(at('env_http_headers')) ?? DEFAULTS.envHttpHeaders,
    requestMaxRetries: reader.integer(at('request_max_retries'), retries) ?? DEFAULTS.requestMaxRetries,
    streamMaxRetries: reader.integer(at('stream_max_retries'), retries) ?? DEFAULTS.streamMaxRetries,
    streamIdleTimeoutMs:
      reader.integer(at('stream_idle_timeout_ms'), { minimum: 1, cap: MAX_TIMEOUT_MS }) ?? DEFAULTS.streamIdleTimeoutMs,
    requiresOpenaiAuth: reader.boolean(at('requires_openai_auth')) ?? DEFAULTS.requiresOpenaiAuth,
    supportsWebsockets: reader.boolean(at('supports_websockets')) ?? DEFAULTS.supportsWebsockets,
    websocketConnectTimeoutMs:
      reader.integer(at('websocket_connect_timeout_ms'), { minimum: 1, cap: MAX_TIMEOUT_MS }) ??
      DEFAULTS.websocketConnectTimeoutMs,
    wireApi: readWireApi(reader, id),
    capabilities: readCapabilities(reader, at),
  };
  // After everything else was read, so that a wrong type is named first.
  if (name === undefined) throw reader.invalid(at('name'), 'is missing; give the provider a name');
  return { ...provider, name };
}

type ProviderKey =
  Extract<SettingPath['key'], `model_providers.${string}`> extends `model_providers.<id>.${infer Key}` ? Key : never;

function readWireApi(reader: SettingReader, id: string): 'responses' | 'chat' {
  const setting = { key: 'model_providers.<id>.wire_api', id } as const;
  const wireApi = reader.string(setting) ?? DEFAULTS.wireApi;
  if (wireApi === 'responses' || wireApi === 'chat') return wireApi;
  throw reader.invalid(setting, `must be "responses" or "chat", found ${JSON.stringify(wireApi)}`);
}

function readCapabilities(reader: SettingReader, at: (key: ProviderKey) => SettingPath): ProviderCapabilities {
  const storeItems = reader.boolean(at('store_items'));
  const itemIds = reader.boolean(at('item_ids'));
  return {
    ...(storeItems === undefined ? {} : { storeItems }),
    ...(itemIds === undefined ? {} : { itemIds }),
  };
}
