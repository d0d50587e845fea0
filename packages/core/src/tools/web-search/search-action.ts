import { type JsonObject, type JsonValue, stringAt } from '@quire/protocol';

/** What the provider does on the web. Source: the wire's `web_search_call.action`. */
export type SearchAction =
  | {
      readonly kind: 'search';
      /** In the order of the provider; empty: it did not say. */
      readonly queries: readonly string[];
    }
  | { readonly kind: 'open-page'; readonly url: string | undefined }
  | { readonly kind: 'find-in-page'; readonly url: string | undefined; readonly pattern: string | undefined }
  /** Begun, and nothing said of it yet. */
  | { readonly kind: 'unannounced' }
  /** A kind of later providers; `action` is as it came. */
  | { readonly kind: 'unknown'; readonly action: JsonObject };

/** @param action absent, or with nothing but the type `other` as clients are shown it, while the call has only begun */
export function parseSearchAction(action: JsonObject | undefined): SearchAction {
  if (action === undefined || (action['type'] === 'other' && Object.keys(action).length === 1)) {
    return { kind: 'unannounced' };
  }
  switch (action['type']) {
    case 'search':
      return { kind: 'search', queries: queriesOf(action) };
    case 'open_page':
      return { kind: 'open-page', url: filledString(action, 'url') };
    case 'find_in_page':
      return { kind: 'find-in-page', url: filledString(action, 'url'), pattern: filledString(action, 'pattern') };
    default:
      return { kind: 'unknown', action };
  }
}

/** The one line that clients show for an action; empty when there is nothing to show. Source: the peer's details. */
export function searchDetail(action: SearchAction): string {
  switch (action.kind) {
    case 'search': {
      const [first = '', ...more] = action.queries;
      return more.length === 0 ? first : `${first} ...`;
    }
    case 'open-page':
      return action.url ?? '';
    case 'find-in-page':
      if (action.pattern === undefined) return action.url ?? '';
      return action.url === undefined ? `'${action.pattern}'` : `'${action.pattern}' in ${action.url}`;
    case 'unannounced':
    case 'unknown':
      return '';
  }
}

/** A line for people to read, while it goes on or when it is over. Not made safe for a terminal. */
export function searchText(action: SearchAction, phase: 'under-way' | 'done'): string {
  const under = phase === 'under-way';
  const detail = searchDetail(action);
  switch (action.kind) {
    case 'search':
      return withDetail(under ? 'Web search' : 'Web search done', action.queries.join('; '));
    case 'open-page':
      return withDetail(under ? 'Opening a page' : 'Opened a page', detail);
    case 'find-in-page':
      return withDetail(under ? 'Looking in a page' : 'Looked in a page', detail);
    case 'unannounced':
      return under ? 'Using the web' : 'Used the web';
    case 'unknown':
      return withDetail(under ? 'Using the web' : 'Used the web', stringAt(action.action, 'type') ?? '');
  }
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}

/** A filled `query` counts alone, as providers repeat it among `queries`. */
function queriesOf(action: JsonObject): readonly string[] {
  const query = filledString(action, 'query');
  if (query !== undefined) return [query];
  const queries = action['queries'];
  if (!Array.isArray(queries)) return [];
  return (queries as readonly JsonValue[]).filter((entry): entry is string => typeof entry === 'string');
}

function filledString(object: JsonObject, key: string): string | undefined {
  const value = stringAt(object, key);
  return value === '' ? undefined : value;
}
