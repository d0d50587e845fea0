import type { SettingReader } from './setting-reader.ts';

export interface ContextSettings {
  /** Bytes of `AGENTS.md` files passed to the model; 0 passes none. */
  readonly projectDocMaxBytes: number;
  readonly projectDocFallbackFilenames: readonly string[];
  /** Empty: the working directory is the root. */
  readonly projectRootMarkers: readonly string[];
  readonly toolOutputTokenLimit: number | undefined;
  /** The model is told commit and remotes of the work trees. */
  readonly includeGitContext: boolean;
  /** What the model is not told. */
  readonly omittedSections: readonly OmittableSection[];
}

/** By the name that the section has in a thread. */
const SECTION_SWITCHES = {
  permissions: 'include_permissions_instructions',
  'collaboration-mode': 'include_collaboration_mode_instructions',
  environment: 'include_environment_context',
} as const;

type OmittableSection = keyof typeof SECTION_SWITCHES;

const DEFAULT_PROJECT_DOC_MAX_BYTES = 32_768;

export function readContextSettings(reader: SettingReader): ContextSettings {
  return {
    projectDocMaxBytes:
      reader.integer({ key: 'project_doc_max_bytes' }, { minimum: 0 }) ?? DEFAULT_PROJECT_DOC_MAX_BYTES,
    projectDocFallbackFilenames: reader.stringList({ key: 'project_doc_fallback_filenames' }) ?? [],
    projectRootMarkers: reader.stringList({ key: 'project_root_markers' }) ?? ['.git'],
    includeGitContext: reader.boolean({ key: 'include_git_context' }) ?? true,
    omittedSections: (Object.keys(SECTION_SWITCHES) as OmittableSection[]).filter(
      (section) => reader.boolean({ key: SECTION_SWITCHES[section] }) === false,
    ),
    toolOutputTokenLimit: reader.integer({ key: 'tool_output_token_limit' }, { minimum: 0 }),
  };
}
