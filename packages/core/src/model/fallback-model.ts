import type { CatalogModel } from '@quire/protocol';

/** Behind every known model. Source: the peer. */
const LAST_PRIORITY = 99;

/** For names nobody described. The JSON form of `apply_patch` needs nothing that a plain model lacks. */
export function fallbackModel(slug: string): CatalogModel {
  return {
    slug,
    displayName: slug,
    description: undefined,
    defaultReasoningEffort: undefined,
    supportedReasoningEfforts: [],
    reasoningLevels: [],
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
    visibility: 'none',
    supportedInApi: true,
    priority: LAST_PRIORITY,
    availabilityNotice: undefined,
    upgrade: undefined,
  };
}
