type Parser = typeof import('./parse-catalog.ts');

/** Fetches the readers of catalogs; a run with an API key and no cached list need not have them in memory. */
export async function loadCatalogParser(): Promise<Pick<Parser, 'parseCatalog' | 'parseModels'>> {
  return await import('./parse-catalog.ts');
}
