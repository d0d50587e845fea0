import type { WebSearchMode } from '../../thread/settings.ts';

/**
 * The mode nearest to the one wanted that managed requirements allow; `disabled` always is. Without an allowed wish:
 * cached, then live, then none; with full access live comes first. Source: facts, `allowed_web_search_modes`.
 */
export function allowedWebSearchMode(
  wanted: WebSearchMode,
  limits: { readonly allowed: readonly WebSearchMode[] | undefined; readonly fullAccess: boolean },
): WebSearchMode {
  const { allowed, fullAccess } = limits;
  if (allowed === undefined || wanted === 'disabled' || allowed.includes(wanted)) return wanted;
  const order: readonly WebSearchMode[] = fullAccess ? ['live', 'cached'] : ['cached', 'live'];
  return order.find((mode) => allowed.includes(mode)) ?? 'disabled';
}
