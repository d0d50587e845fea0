import type { Environment } from '../home.ts';
import { ConfigError } from './config-error.ts';

/** Servers of open models on this machine. */
export const OSS_PROVIDER_IDS = ['ollama', 'lmstudio'] as const;
export type OssProviderId = (typeof OSS_PROVIDER_IDS)[number];

export function isOssProviderId(id: string): id is OssProviderId {
  return OSS_PROVIDER_IDS.some((known) => known === id);
}

/** Asked for when nobody names a model. Source: the peer. */
const DEFAULT_MODELS: Readonly<Record<OssProviderId, string>> = {
  ollama: 'gpt-oss:20b',
  lmstudio: 'openai/gpt-oss-20b',
};

/** What `--oss` comes to. */
export interface OssChoice {
  readonly providerId: OssProviderId;
  readonly defaultModel: string;
}

/**
 * @param choice `named`: what `--local-provider` says; `configured`: `Config.ossProvider`
 * @throws ConfigError 'unknown-provider' when none is named, or another word
 */
export function chooseOssProvider(choice: {
  readonly named: string | undefined;
  readonly configured: OssProviderId | undefined;
}): OssChoice {
  const wanted = choice.named ?? choice.configured;
  const providerId = OSS_PROVIDER_IDS.find((id) => id === wanted);
  if (providerId !== undefined) return { providerId, defaultModel: DEFAULT_MODELS[providerId] };
  const list = OSS_PROVIDER_IDS.join(' or ');
  const problem = wanted === undefined ? 'does not say which server' : `does not know ${JSON.stringify(wanted)}`;
  throw new ConfigError('unknown-provider', `--oss ${problem}: set oss_provider to ${list}, or give --local-provider`, {
    key: 'oss_provider',
    path: ['oss_provider'],
  });
}

/**
 * The address that the environment gives local servers: `CODEX_OSS_BASE_URL`, or else the port `CODEX_OSS_PORT` of
 * this machine. `undefined` when it says nothing. Source: the peer.
 * @throws ConfigError 'invalid-value'
 */
export function ossBaseUrl(environment: Environment): string | undefined {
  const url = environment['CODEX_OSS_BASE_URL']?.trim();
  if (url !== undefined && url !== '') {
    const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
    if (protocol === 'http:' || protocol === 'https:') return url;
    throw wrong('CODEX_OSS_BASE_URL', 'must be an address that begins with http:// or https://');
  }
  const port = environment['CODEX_OSS_PORT']?.trim();
  if (port === undefined || port === '') return undefined;
  if (/^[0-9]{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536) return `http://localhost:${port}/v1`;
  throw wrong('CODEX_OSS_PORT', 'must be a port between 1 and 65535');
}

function wrong(variable: string, problem: string): ConfigError {
  return new ConfigError('invalid-value', `${variable} ${problem}`, { source: variable });
}
