import type { CatalogAccess, CatalogSource } from '@quire/core';
import type { Credentials, ModelProvider } from '@quire/protocol';
import type { CatalogSourceOptions } from './catalog-source-options.ts';

/**
 * The models endpoint of one provider. Only a ChatGPT login is asked with: other credentials have no list of their own.
 * Opens nothing, and loads what a request needs when there is one.
 */
export function createCatalogSource(options: CatalogSourceOptions): CatalogSource {
  return {
    access: async ({ signal }): Promise<CatalogAccess> => {
      const credentials = await options.credentials.current({ signal });
      const identity = await identityOf(options.provider, credentials);
      if (credentials.kind !== 'chatgpt') return { identity, isChatgpt: false };
      return {
        identity,
        isChatgpt: true,
        fetch: async (request) => {
          const { fetchCatalog } = await import('./fetch-catalog.ts');
          return await fetchCatalog(options, { ...request, credentials });
        },
      };
    },
  };
}

/** A digest, so that the cache file names no account. Tokens and keys are no part of it. */
async function identityOf(provider: ModelProvider, credentials: Credentials): Promise<string> {
  const { createHash } = await import('node:crypto');
  const account = credentials.kind === 'chatgpt' ? credentials.accountId : undefined;
  const parts = [provider.id, provider.baseUrl ?? null, credentials.kind, account ?? null];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
