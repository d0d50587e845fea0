/** How a model's tool output is cut: a budget in bytes, or in tokens of four bytes. */
export interface TruncationPolicy {
  readonly mode: 'bytes' | 'tokens';
  readonly limit: number;
}

/** Instructions with a place for a personality. Source: `model_messages` of the `/models` endpoint. */
export interface ModelMessages {
  /** `{{ personality }}` is replaced. */
  readonly instructionsTemplate?: string;
  readonly personalityDefault?: string;
  readonly personalityFriendly?: string;
  readonly personalityPragmatic?: string;
}

export type Personality = 'none' | 'friendly' | 'pragmatic';

/** What the runtime must know of a model. Source: the `/models` endpoint's entries. */
export interface ModelInfo {
  /** The name sent as `model`: what the user asked for, even when the entry was found by prefix. */
  readonly slug: string;
  readonly displayName: string;
  readonly defaultReasoningEffort: string | undefined;
  readonly supportedReasoningEfforts: readonly string[];
  readonly supportsReasoningSummaries: boolean;
  readonly defaultReasoningSummary: string;
  readonly supportsVerbosity: boolean;
  readonly defaultVerbosity: string | undefined;
  readonly applyPatchTool: 'freeform' | 'function' | undefined;
  readonly truncation: TruncationPolicy;
  readonly supportsParallelToolCalls: boolean;
  /** Instructions of this model; absent: general ones. */
  readonly baseInstructions?: string;
  readonly modelMessages?: ModelMessages;
  /** Tokens. */
  readonly contextWindow: number | undefined;
  /** Tokens at which the history is compacted; at most 90 % of the window whatever it says. */
  readonly autoCompactTokenLimit?: number;
  readonly effectiveContextWindowPercent: number;
  readonly inputModalities: readonly string[];
  /** Which form of command tool it knows. Names are the wire's `shell_type`. */
  readonly shellType: 'default' | 'local' | 'unified_exec' | 'shell_command' | 'disabled';
  /** Tools it knows beside the usual ones. */
  readonly experimentalTools: readonly string[];
  /** What web searches may bring back. */
  readonly webSearchTool: 'text' | 'text_and_image';
  /** Takes pictures in their own size. */
  readonly supportsOriginalImages: boolean;
  /** Asks for the WebSocket transport where the provider supports it. */
  readonly prefersWebsockets: boolean;
  /** True when nothing is known of this model and general values stand in. */
  readonly isFallback: boolean;
  /** Largest window that may be configured, in tokens. Absent: no bound is known. */
  readonly maxContextWindow?: number;
  /** Ids of the service tiers it offers, such as `priority`. Absent: nobody said. */
  readonly serviceTiers?: readonly string[];
}

/** One choice of effort, with a few words on when to take it. */
export interface ReasoningLevel {
  readonly effort: string;
  readonly description: string;
}

/** A model that takes the place of another one. */
export interface ModelUpgrade {
  /** Its slug. */
  readonly model: string;
  /** For people, as Markdown; may be empty. */
  readonly migrationMarkdown: string;
}

/** `list`: shown to choose from. `hide` and `none`: known, but not shown. */
export type ModelVisibility = 'list' | 'hide' | 'none';

/** One entry of a catalog: what the runtime must know, and what choosing a model needs. Source: the `/models` endpoint. */
export interface CatalogModel extends ModelInfo {
  readonly description: string | undefined;
  readonly reasoningLevels: readonly ReasoningLevel[];
  readonly visibility: ModelVisibility;
  /** Usable with an API key, not only with a ChatGPT login. */
  readonly supportedInApi: boolean;
  /** The lowest comes first. */
  readonly priority: number;
  /** For people, when the model is new. */
  readonly availabilityNotice: string | undefined;
  readonly upgrade: ModelUpgrade | undefined;
}
