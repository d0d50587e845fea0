import type { ModelInfo } from '@quire/protocol';

/** The model used when nothing names one. */
export const DEFAULT_MODEL = 'gpt-5.2-codex';

const EFFORTS = ['low', 'medium', 'high', 'xhigh'] as const;

const CODEX_MODEL: Omit<ModelInfo, 'slug' | 'displayName'> = {
  defaultReasoningEffort: 'medium',
  supportedReasoningEfforts: EFFORTS,
  supportsReasoningSummaries: true,
  defaultReasoningSummary: 'auto',
  supportsVerbosity: false,
  defaultVerbosity: undefined,
  applyPatchTool: 'freeform',
  truncation: { mode: 'tokens', limit: 10_000 },
  supportsParallelToolCalls: true,
  contextWindow: 272_000,
  effectiveContextWindowPercent: 95,
  inputModalities: ['text', 'image'],
  shellType: 'shell_command',
  experimentalTools: [],
  webSearchTool: 'text',
  supportsOriginalImages: false,
  prefersWebsockets: false,
  isFallback: false,
};

const WITHOUT_REASONING = {
  defaultReasoningEffort: undefined,
  supportedReasoningEfforts: [],
  supportsReasoningSummaries: false,
} as const;

/** General models: same shape, and they take a verbosity. */
const GENERAL_MODEL: Omit<ModelInfo, 'slug' | 'displayName'> = {
  ...CODEX_MODEL,
  supportsVerbosity: true,
  defaultVerbosity: 'low',
};

/**
 * Models known without asking a provider. Source: the peer's built-in entries for these models, spring 2026.
 */
const BUNDLED: readonly ModelInfo[] = [
  { slug: 'gpt-5.2-codex', displayName: 'gpt-5.2-codex', ...CODEX_MODEL },
  { slug: 'gpt-5.1-codex-max', displayName: 'gpt-5.1-codex-max', ...CODEX_MODEL },
  { slug: 'gpt-5.1-codex-mini', displayName: 'gpt-5.1-codex-mini', ...CODEX_MODEL },
  { slug: 'gpt-5.1-codex', displayName: 'gpt-5.1-codex', ...CODEX_MODEL },
  { slug: 'gpt-5.2', displayName: 'gpt-5.2', ...GENERAL_MODEL },
  { slug: 'gpt-5.1', displayName: 'gpt-5.1', ...GENERAL_MODEL },
  // What the simulator's rehearsal answers as: no model, so it has nothing to reason with.
  { slug: 'rehearsal', displayName: 'rehearsal', ...CODEX_MODEL, ...WITHOUT_REASONING },
];

/** For names nobody described. The JSON form of `apply_patch` needs nothing that a plain model lacks. */
function fallbackModel(slug: string): ModelInfo {
  return {
    slug,
    displayName: slug,
    defaultReasoningEffort: undefined,
    supportedReasoningEfforts: [],
    supportsReasoningSummaries: false,
    defaultReasoningSummary: 'auto',
    supportsVerbosity: false,
    defaultVerbosity: undefined,
    applyPatchTool: 'function',
    truncation: { mode: 'bytes', limit: 10_000 },
    supportsParallelToolCalls: false,
    contextWindow: 272_000,
    effectiveContextWindowPercent: 95,
    inputModalities: ['text', 'image'],
    shellType: 'shell_command',
    experimentalTools: [],
    webSearchTool: 'text',
    supportsOriginalImages: false,
    prefersWebsockets: false,
    isFallback: true,
  };
}

/**
 * What is known of `name`: the entry whose slug is the longest prefix of it, also behind one `namespace/`;
 * else general values. The result keeps `name` as its slug, so the request sends what the user wrote.
 */
export function findModel(name: string): ModelInfo {
  const found = longestPrefix(name) ?? longestPrefix(withoutNamespace(name));
  return found === undefined ? fallbackModel(name) : { ...found, slug: name };
}

function longestPrefix(name: string | undefined): ModelInfo | undefined {
  if (name === undefined) return undefined;
  let best: ModelInfo | undefined;
  for (const model of BUNDLED) {
    if (name.startsWith(model.slug) && model.slug.length > (best?.slug.length ?? 0)) best = model;
  }
  return best;
}

function withoutNamespace(name: string): string | undefined {
  const match = /^[A-Za-z0-9_-]+\/([^/]+)$/.exec(name);
  return match?.[1];
}
