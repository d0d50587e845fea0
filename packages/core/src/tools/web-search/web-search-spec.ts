import type { ToolSpec } from '@quire/protocol';
import type { ThreadSettings, WebSearchMode, WebSearchSettings } from '../../thread/settings.ts';

/**
 * How a turn would search if nothing forbade it: what was chosen; else nothing with a provider that is not known to search, live where commands
 * have full access anyway, and the provider's own index otherwise.
 * Source: the peer, early 2026. Later ones let full access win over a chosen `cached`; here what a person chose holds.
 */
export function webSearchMode(settings: Pick<ThreadSettings, 'webSearch' | 'sandbox'>): WebSearchMode {
  const { mode, isServed } = settings.webSearch;
  if (mode !== undefined) return mode;
  if (!isServed) return 'disabled';
  return settings.sandbox.mode === 'danger-full-access' ? 'live' : 'cached';
}

/** The search that the provider runs by itself, as offered in one turn; `undefined`: none. */
export function webSearchSpec(
  settings: Pick<ThreadSettings, 'webSearch' | 'webSearchMode' | 'model'>,
): Extract<ToolSpec, { type: 'web_search' }> | undefined {
  const { webSearchMode: mode } = settings;
  if (mode === 'disabled') return undefined;
  const { allowedDomains, location, contextSize } = settings.webSearch;
  return {
    type: 'web_search',
    external_web_access: mode === 'live',
    ...(allowedDomains === undefined || allowedDomains.length === 0
      ? {}
      : { filters: { allowed_domains: allowedDomains } }),
    ...(location === undefined ? {} : { user_location: { type: 'approximate', ...location } }),
    ...(contextSize === undefined ? {} : { search_context_size: contextSize }),
    ...(settings.model.webSearchTool === 'text_and_image' ? { search_content_types: ['text', 'image'] } : {}),
  };
}

/**
 * A sentence for people when a search was asked for that the provider may pass over without a word.
 *
 * @param providerName as people know it
 */
export function webSearchWarning(
  webSearch: Pick<WebSearchSettings, 'mode' | 'isServed'>,
  providerName: string,
): string | undefined {
  const { mode, isServed } = webSearch;
  if (isServed || mode === undefined || mode === 'disabled') return undefined;
  return (
    `Web search is ${mode}, but the provider ${JSON.stringify(providerName)} is not known to run searches: it may ignore ` +
    'the tool without saying so. Set web_search = "disabled" to offer none.'
  );
}
