import type { ApprovalPolicy, ModelInfo, SandboxPolicy } from '@quire/protocol';
import type { EnvironmentFacts } from '../context/environment.ts';

export type WebSearchMode = 'disabled' | 'cached' | 'live';

/** The values a thread works with: resolved from configuration by the composition, never the whole of it. */
export interface ThreadSettings {
  /** Absolute, normal. */
  readonly cwd: string;
  readonly model: ModelInfo;
  readonly baseInstructions: string;
  readonly developerInstructions: string | undefined;
  /** Joined text of the AGENTS.md files, if any. */
  readonly projectInstructions: string | undefined;
  readonly environment: EnvironmentFacts;
  readonly reasoningEffort: string | undefined;
  /** `none` leaves it out. */
  readonly reasoningSummary: string;
  readonly verbosity: string | undefined;
  readonly serviceTier: string | undefined;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandbox: SandboxPolicy;
  /** Temporary folders that `workspace-write` may write to, as the sandbox policy allows. Absolute, real paths. */
  readonly temporaryRoots: readonly string[];
  readonly webSearch: WebSearchMode;
  /** Retries of one sampling request. */
  readonly streamMaxRetries: number;
  /** Overrides the amount of the model's truncation policy. */
  readonly toolOutputTokenLimit: number | undefined;
}
