import type { JsonObject } from './json.ts';

/** A tool as offered to the model. Field names are the wire's. */
export type ToolSpec =
  | {
      readonly type: 'function';
      readonly name: string;
      readonly description: string;
      readonly strict: boolean;
      readonly parameters: JsonObject;
    }
  | {
      readonly type: 'custom';
      readonly name: string;
      readonly description: string;
      readonly format:
        | { readonly type: 'grammar'; readonly syntax: 'lark'; readonly definition: string }
        | { readonly type: 'text' };
    }
  | {
      readonly type: 'web_search';
      readonly external_web_access: boolean;
      readonly filters?: { readonly allowed_domains: readonly string[] };
      readonly user_location?: JsonObject;
      readonly search_context_size?: string;
      readonly search_content_types?: readonly string[];
    }
  | { readonly type: 'local_shell' };
