import type { ModelProvider } from '@quire/protocol';

/** Parts of a base URL that only the Azure service has. Source: the peer's list, early 2026. */
const AZURE_HOSTS = [
  'openai.azure.',
  'cognitiveservices.azure.',
  'aoai.azure.',
  'azure-api.',
  'azurefd.',
  'windows.net/openai',
];

/** Azure wants responses stored and items sent back with their ids. */
export function isAzure(provider: Pick<ModelProvider, 'name' | 'baseUrl'>): boolean {
  if (provider.name.toLowerCase() === 'azure') return true;
  const url = provider.baseUrl?.toLowerCase();
  return url !== undefined && AZURE_HOSTS.some((part) => url.includes(part));
}
