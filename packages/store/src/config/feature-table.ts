import { editDistance } from '@quire/protocol';

/** `under-development` ones are unfinished and may break; `removed` ones are only taken note of. */
export type FeatureStage = 'stable' | 'experimental' | 'under-development' | 'deprecated' | 'removed';

export interface Feature {
  readonly name: string;
  readonly stage: FeatureStage;
  readonly defaultEnabled: boolean;
  /** It changes something here. What compatible programs know besides is read, kept and without effect. */
  readonly supported: boolean;
  /** One sentence. */
  readonly meaning: string;
}

interface Row {
  readonly name: string;
  readonly stage: FeatureStage;
  readonly on?: true;
  readonly meaning: string;
}

/** What this runtime does. Stages and defaults are its own. */
const SUPPORTED: readonly Row[] = [
  {
    name: 'default_mode_request_user_input',
    stage: 'under-development',
    meaning: 'The model may ask questions with choices outside of plans too.',
  },
  { name: 'enable_request_compression', stage: 'stable', meaning: 'Requests to the built-in provider are compressed.' },
  { name: 'fast_mode', stage: 'stable', on: true, meaning: 'The priority tier may be asked for.' },
  { name: 'grep_files', stage: 'experimental', meaning: 'The model may search files with a tool of its own.' },
  {
    name: 'hooks',
    stage: 'stable',
    on: true,
    meaning: 'Programs run before and after tool calls. Only your own settings count.',
  },
  {
    name: 'image_detail_original',
    stage: 'experimental',
    meaning: 'Images may be passed to the model in their full size.',
  },
  { name: 'js_repl', stage: 'experimental', meaning: 'The model has a JavaScript session.' },
  {
    name: 'js_repl_tools_only',
    stage: 'under-development',
    meaning: 'The model reaches all other tools through that session. Needs `js_repl`.',
  },
  { name: 'list_dir', stage: 'experimental', meaning: 'The model may list folders with a tool of its own.' },
  { name: 'multi_agent', stage: 'stable', meaning: 'The model may start agents of its own.' },
  { name: 'personality', stage: 'stable', on: true, meaning: 'The personality is passed to models that have some.' },
  { name: 'read_file', stage: 'experimental', meaning: 'The model may read files with a tool of its own.' },
  {
    name: 'responses_websockets',
    stage: 'stable',
    meaning:
      'Responses are asked for over a WebSocket; off switches it off everywhere. Unset: where the model prefers it.',
  },
  { name: 'shell_tool', stage: 'stable', on: true, meaning: 'The model may run commands.' },
  { name: 'undo', stage: 'experimental', meaning: 'Turns can be undone: the files before each turn are kept.' },
  {
    name: 'unified_exec',
    stage: 'stable',
    meaning: 'Commands run in sessions that can be written to. Unset: what the model prefers.',
  },
  { name: 'view_image', stage: 'stable', on: true, meaning: 'The model may look at image files.' },
  { name: 'web_search_cached', stage: 'deprecated', meaning: 'Use `web_search = "cached"`.' },
  { name: 'web_search_request', stage: 'deprecated', meaning: 'Use `web_search = "live"`.' },
];

/** Known from compatible programs. Source: their table of March 2026. */
const ACCEPTED: Readonly<Record<Exclude<FeatureStage, 'deprecated'>, readonly string[]>> = {
  stable: ['shell_snapshot', 'skill_mcp_dependency_install', 'use_legacy_landlock'],
  experimental: ['apps', 'prevent_idle_sleep', 'smart_approvals', 'tui_app_server'],
  'under-development': [
    'apply_patch_freeform',
    'apps_mcp_gateway',
    'artifact',
    'child_agents_md',
    'code_mode',
    'code_mode_only',
    'codex_git_commit',
    'codex_hooks',
    'enable_fanout',
    'exec_permission_approvals',
    'image_generation',
    'memories',
    'plugins',
    'powershell_utf8',
    'realtime_conversation',
    'request_permissions_tool',
    'runtime_metrics',
    'shell_zsh_fork',
    'skill_env_var_dependency_prompt',
    'tool_call_mcp_elicitation',
    'tool_suggest',
    'voice_transcription',
  ],
  removed: [
    'collaboration_modes',
    'elevated_windows_sandbox',
    'experimental_windows_sandbox',
    'remote_models',
    'request_rule',
    'search_tool',
    'sqlite',
    'steer',
    'use_linux_sandbox_bwrap',
  ],
};

const NO_EFFECT = 'Accepted, without effect.';

/** In alphabetical order. */
export const FEATURES: readonly Feature[] = [
  ...SUPPORTED.map(({ name, stage, on, meaning }) => ({
    name,
    stage,
    defaultEnabled: on ?? false,
    supported: true,
    meaning,
  })),
  ...Object.entries(ACCEPTED).flatMap(([stage, names]) =>
    names.map((name) => ({
      name,
      stage: stage as FeatureStage, // a key of ACCEPTED
      defaultEnabled: false,
      supported: false,
      meaning: NO_EFFECT,
    })),
  ),
].sort((left, right) => (left.name < right.name ? -1 : 1));

/** Older names below `features`, and what they are called now. */
export const FEATURE_ALIASES: Readonly<Record<string, string>> = {
  collab: 'multi_agent',
  connectors: 'apps',
  enable_experimental_windows_sandbox: 'experimental_windows_sandbox',
  experimental_use_freeform_apply_patch: 'apply_patch_freeform',
  experimental_use_unified_exec_tool: 'unified_exec',
  include_apply_patch_tool: 'apply_patch_freeform',
  memory_tool: 'memories',
  responses_websockets_v2: 'responses_websockets',
  view_image_original_resolution: 'image_detail_original',
  web_search: 'web_search_request',
};

/** Switches of older files that stand at the top of the file or of a profile. */
export const TOP_LEVEL_TOGGLES = [
  'experimental_use_unified_exec_tool',
  'experimental_use_freeform_apply_patch',
  'include_apply_patch_tool',
] as const;

/** A feature that is on brings the other one. */
export const FEATURE_IMPLICATIONS: readonly (readonly [feature: string, implied: string])[] = [
  ['enable_fanout', 'multi_agent'],
  ['code_mode_only', 'code_mode'],
];

const BY_NAME: ReadonlyMap<string, Feature> = new Map(FEATURES.map((feature) => [feature.name, feature]));

/** By its name or an older one. */
export function findFeature(name: string): Feature | undefined {
  return BY_NAME.get(canonicalFeatureName(name));
}

/** The name itself where there is no newer one. */
export function canonicalFeatureName(name: string): string {
  return Object.hasOwn(FEATURE_ALIASES, name) ? (FEATURE_ALIASES[name] ?? name) : name;
}

export function isKnownFeature(name: string): boolean {
  return findFeature(name) !== undefined;
}

/** The feature that a misspelled name was most likely meant to be. */
export function nearestFeature(name: string): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 4));
  const ranked = FEATURES.map((feature) => ({ feature, distance: editDistance(name, feature.name) }));
  const [best] = ranked.filter(({ distance }) => distance <= limit).sort((a, b) => a.distance - b.distance);
  return best?.feature.name;
}
