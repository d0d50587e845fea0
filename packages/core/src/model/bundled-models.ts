import type { CatalogModel, ModelUpgrade, ReasoningLevel } from '@quire/protocol';

type Shape = Omit<CatalogModel, 'slug' | 'displayName' | 'description' | 'priority'>;

const LEVEL_TEXTS: Readonly<Record<string, string>> = {
  low: 'Answers soonest; for small, clear tasks',
  medium: 'The usual choice',
  high: 'Thinks longer; for tasks with many parts',
  xhigh: 'Thinks very long; for the hardest tasks',
  max: 'Spends as much thought as one answer can take',
  ultra: 'Spends even more, over several answers',
};

function levels(...efforts: readonly string[]): Pick<CatalogModel, 'reasoningLevels' | 'supportedReasoningEfforts'> {
  const reasoningLevels = efforts.map((effort): ReasoningLevel => ({ effort, description: LEVEL_TEXTS[effort] ?? '' }));
  return { reasoningLevels, supportedReasoningEfforts: efforts };
}

function upgradeTo(model: string, why: string): ModelUpgrade {
  return { model, migrationMarkdown: `**${model}** follows this model: ${why} Both stay available.` };
}

/** Coding models of the time around the turn of 2026. */
const CODEX_MODEL: Shape = {
  ...levels('low', 'medium', 'high', 'xhigh'),
  defaultReasoningEffort: 'medium',
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
  visibility: 'list',
  supportedInApi: true,
  availabilityNotice: undefined,
  upgrade: undefined,
};

/** General models: same shape, and they take a verbosity. */
const GENERAL_MODEL: Shape = { ...CODEX_MODEL, supportsVerbosity: true, defaultVerbosity: 'low' };

/** Models of 2026. Source: the catalog that peer 0.169 prints; parts of it that nothing here uses are left out. */
const LATER_MODEL: Shape = {
  ...GENERAL_MODEL,
  defaultReasoningSummary: 'none',
  shellType: 'unified_exec',
  webSearchTool: 'text_and_image',
  supportsOriginalImages: true,
  maxContextWindow: 872_000,
  serviceTiers: ['priority'],
};

const ALL_LEVELS = levels('low', 'medium', 'high', 'xhigh', 'max', 'ultra');
const WITHOUT_ULTRA = levels('low', 'medium', 'high', 'xhigh', 'max');
const LIGHT_FIRST = { defaultReasoningEffort: 'low' } as const;
const TO_CODEX = upgradeTo('gpt-5.2-codex', 'it is better at long tasks.');
const TO_GENERAL = upgradeTo('gpt-5.2', 'it knows more and follows instructions better.');
const TO_SOL = upgradeTo('gpt-6-sol', 'it reaches the same with fewer tokens.');
const TO_LUNA = upgradeTo('gpt-6-luna', 'it reaches the same with fewer tokens.');

/** In the order in which they are offered. */
const MODELS: readonly (Omit<CatalogModel, 'displayName' | 'priority'> & { readonly displayName?: string })[] = [
  { slug: 'gpt-5.2-codex', description: 'For coding tasks of any length', ...CODEX_MODEL },
  {
    slug: 'gpt-6.1-sol',
    description: 'Strong at complex work',
    ...LATER_MODEL,
    ...ALL_LEVELS,
    ...LIGHT_FIRST,
    availabilityNotice: 'gpt-6.1-sol can be chosen: set model = "gpt-6.1-sol", or use --model.',
  },
  {
    slug: 'gpt-6-astra',
    description: 'For the most demanding work',
    ...LATER_MODEL,
    ...ALL_LEVELS,
    ...LIGHT_FIRST,
  },
  { slug: 'gpt-6-sol', description: 'For everyday complex work', ...LATER_MODEL, ...ALL_LEVELS },
  { slug: 'gpt-6-luna', description: 'Light and quick', ...LATER_MODEL, ...WITHOUT_ULTRA },
  {
    slug: 'gpt-6.1-terra',
    description: 'Large window, moderate cost',
    ...LATER_MODEL,
    ...ALL_LEVELS,
    ...LIGHT_FIRST,
    contextWindow: 500_000,
  },
  {
    slug: 'gpt-5.6-sol',
    description: 'For complex work; has a follower',
    ...LATER_MODEL,
    ...ALL_LEVELS,
    ...LIGHT_FIRST,
    upgrade: TO_SOL,
  },
  {
    slug: 'gpt-5.6-terra',
    description: 'For everyday work; has a follower',
    ...LATER_MODEL,
    ...ALL_LEVELS,
    upgrade: TO_SOL,
  },
  {
    slug: 'gpt-5.6-luna',
    description: 'Light; has a follower',
    ...LATER_MODEL,
    ...WITHOUT_ULTRA,
    upgrade: TO_LUNA,
  },
  {
    slug: 'gpt-5.5',
    description: 'General model; has a follower',
    ...LATER_MODEL,
    maxContextWindow: 272_000,
    upgrade: TO_SOL,
  },
  {
    slug: 'gpt-5.3-codex',
    description: 'For coding tasks of any length',
    ...CODEX_MODEL,
    supportsOriginalImages: true,
  },
  { slug: 'gpt-5.1-codex-max', description: 'For long coding tasks', ...CODEX_MODEL, upgrade: TO_CODEX },
  { slug: 'gpt-5.1-codex', description: 'For coding tasks', ...CODEX_MODEL, upgrade: TO_CODEX },
  { slug: 'gpt-5.1-codex-mini', description: 'Cheap, for small coding tasks', ...CODEX_MODEL },
  { slug: 'gpt-5.2', description: 'General model', ...GENERAL_MODEL },
  { slug: 'gpt-5.1', description: 'General model', ...GENERAL_MODEL, upgrade: TO_GENERAL },
  {
    slug: 'codex-auto-review',
    description: 'Judges what another model wants to do',
    ...LATER_MODEL,
    ...WITHOUT_ULTRA,
    visibility: 'hide',
  },
  {
    // What the simulator's rehearsal answers as: no model, so it has nothing to reason with.
    slug: 'rehearsal',
    description: 'The scripted model of the demo',
    ...CODEX_MODEL,
    ...levels(),
    defaultReasoningEffort: undefined,
    supportsReasoningSummaries: false,
    visibility: 'none',
  },
];

/**
 * Models known without asking a provider. They bring no instructions of their own, so the general ones and the
 * messages about a personality hold for all of them.
 *
 * Source: the peer's built-in entries, spring 2026, and for the later ones observed with peer 0.169. Texts are our own.
 */
export const BUNDLED_MODELS: readonly CatalogModel[] = MODELS.map((model, priority) => ({
  displayName: model.slug,
  ...model,
  priority,
}));
