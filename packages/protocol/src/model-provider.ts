/** Where requests go and how patient we are. Source: `[model_providers.<id>]` of the configuration file. */
export interface ModelProvider {
  readonly id: string;
  /** Exactly `OpenAI` means first-party. */
  readonly name: string;
  /** Prefix of every path. Absent: chosen by the kind of credentials. */
  readonly baseUrl: string | undefined;
  /** Environment variable that holds the key. */
  readonly envKey: string | undefined;
  readonly envKeyInstructions: string | undefined;
  readonly bearerToken: string | undefined;
  readonly queryParams: Readonly<Record<string, string>>;
  readonly httpHeaders: Readonly<Record<string, string>>;
  /** Header name to environment variable; sent only when the variable is set and not blank. */
  readonly envHttpHeaders: Readonly<Record<string, string>>;
  /** Retries of one HTTP request. Default 4, at most 100. */
  readonly requestMaxRetries: number;
  /** Retries of one sampling request by the turn. Default 5, at most 100. */
  readonly streamMaxRetries: number;
  /** Longest silence between two stream events. Default 300,000. */
  readonly streamIdleTimeoutMs: number;
  /** Uses the stored login or key. */
  readonly requiresOpenaiAuth: boolean;
  /** The WebSocket transport may be used. Default false. */
  readonly supportsWebsockets?: boolean;
  /** Longest WebSocket handshake, connecting included. Default 15,000. */
  readonly websocketConnectTimeoutMs?: number;
  /** Dialect of the model line. Default `responses`. */
  readonly wireApi?: 'responses' | 'chat';
  readonly capabilities?: ProviderCapabilities;
}

/** What is known of a host. What is left out is guessed from name and address. */
export interface ProviderCapabilities {
  /** Wants responses stored (`store: true`). */
  readonly storeItems?: boolean;
  /** Wants items back with the ids it gave them. */
  readonly itemIds?: boolean;
}

/** What authorises a request. Never logged, never part of a message. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'api-key'; readonly token: string }
  | { readonly kind: 'chatgpt'; readonly accessToken: string; readonly accountId: string | undefined };
