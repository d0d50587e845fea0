import { type Credentials, ModelError, type ModelProvider } from '@quire/protocol';

const CHATGPT_BASE_URL = 'https://chatgpt.com/backend-api/codex';
const OPENAI_BASE_URL = 'https://api.openai.com/v1';

/**
 * The address of `path` below the provider's base. Query parameters are appended as configured, without
 * encoding. Throws ModelError 'configuration' when the result is no http(s) URL.
 */
export function requestUrl(provider: ModelProvider, credentials: Credentials, path: string): URL {
  const base = provider.baseUrl ?? (credentials.kind === 'chatgpt' ? CHATGPT_BASE_URL : OPENAI_BASE_URL);
  const query = Object.entries(provider.queryParams).map(([name, value]) => `${name}=${value}`);
  const text = `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ModelError(
      'configuration',
      `the base_url of the model provider "${provider.id}" is not an http or https URL; correct it in the configuration`,
      { retryable: false },
    );
  }
  return url;
}
