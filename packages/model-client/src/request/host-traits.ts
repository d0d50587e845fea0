import type { ModelProvider } from '@quire/protocol';

/** In what a host differs from the first-party one. */
export interface HostTraits {
  /** Wants responses stored. */
  readonly storeItems: boolean;
  /** Wants items back with the ids it gave them. */
  readonly itemIds: boolean;
  /** Has a web search of its own that may be offered without being asked for. */
  readonly searchesWeb: boolean;
  /** May leave out the events that say that an item is whole. */
  readonly losesItemEnds: boolean;
}

/** Parts of a base URL that only the Azure service has. Source: the peer's list, early 2026. */
const AZURE_HOSTS = [
  'openai.azure.',
  'cognitiveservices.azure.',
  'aoai.azure.',
  'azure-api.',
  'azurefd.',
  'windows.net/openai',
];

/** What the configuration declares; the rest is what Azure is known to want, if this looks like Azure. */
export function hostTraits(provider: Pick<ModelProvider, 'id' | 'name' | 'baseUrl' | 'capabilities'>): HostTraits {
  const azure = isAzure(provider);
  return {
    storeItems: provider.capabilities?.storeItems ?? azure,
    itemIds: provider.capabilities?.itemIds ?? azure,
    searchesWeb: !azure,
    losesItemEnds: provider.id !== 'openai',
  };
}

function isAzure(provider: Pick<ModelProvider, 'name' | 'baseUrl'>): boolean {
  if (provider.name.toLowerCase() === 'azure') return true;
  const url = provider.baseUrl?.toLowerCase();
  return url !== undefined && AZURE_HOSTS.some((part) => url.includes(part));
}
