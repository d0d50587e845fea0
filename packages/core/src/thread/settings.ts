import type { ApprovalPolicy, CompactionStrategyName, ModelInfo, Personality, SandboxPolicy } from '@quire/protocol';
import type { EnvironmentFacts } from '../context/environment.ts';

export type WebSearchMode = 'disabled' | 'cached' | 'live';

export interface WebSearchSettings {
  /** Absent: nobody chose; the sandbox of each turn decides. */
  readonly mode: WebSearchMode | undefined;
  readonly allowedDomains: readonly string[] | undefined;
  readonly contextSize: 'low' | 'medium' | 'high' | undefined;
  readonly location:
    | { readonly country?: string; readonly region?: string; readonly city?: string; readonly timezone?: string }
    | undefined;
  /** The provider is known to run searches. */
  readonly isServed: boolean;
}

/** Which form of command tool is offered. `unified-exec` is `exec_command` with `write_stdin`. */
export type ShellToolForm = 'shell' | 'local-shell' | 'shell-command' | 'unified-exec' | 'none';

export interface ToolSettings {
  readonly shell: ShellToolForm;
  /** Names of optional tools that are on, such as `js_repl`, `grep_files`, `view_image`, `request_user_input`. */
  readonly enabled: ReadonlySet<string>;
  /** `view_image` may hand over pictures in their own size. */
  readonly originalImages: boolean;
}

export interface CollaborationMode {
  /** `default`, `plan`, … */
  readonly mode: string;
  /** Empty or absent: nothing is told to the model. */
  readonly instructions: string | undefined;
}

export interface CompactionSettings {
  /** Tried in this order until one makes the history shorter. */
  readonly strategies: readonly CompactionStrategyName[];
  /** For all strategies together. */
  readonly deadlineMs: number;
  /** Overrides the limit of the model; still at most 90 % of its window. Tokens. */
  readonly autoCompactTokenLimit: number | undefined;
  /** Replaces the built-in request for a summary. */
  readonly prompt: string | undefined;
  /** Keep and send back what the program itself knows of the work. */
  readonly ledger: boolean;
}

/** The values a thread works with: resolved from configuration by the composition, never the whole of it. */
export interface ThreadSettings {
  /** Absolute, normal. */
  readonly cwd: string;
  readonly model: ModelInfo;
  /** Fixed for the life of the thread. */
  readonly baseInstructions: string;
  /** Absent: the feature is off, or nothing was chosen. */
  readonly personality: Personality | undefined;
  /** Base instructions were made with this personality in them, so it need not be told. */
  readonly bakedPersonality: Personality | undefined;
  readonly collaborationMode: CollaborationMode | undefined;
  /** The git context in the environment section. */
  readonly gitInContext: boolean;
  readonly compaction: CompactionSettings;
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
  readonly webSearch: WebSearchSettings;
  readonly tools: ToolSettings;
  readonly network: {
    /** What commands may reach when they may use the network at all. Absent: everything. */
    readonly allowedHosts: readonly string[] | undefined;
  };
  /** Retries of one sampling request. */
  readonly streamMaxRetries: number;
  /** Overrides the amount of the model's truncation policy. */
  readonly toolOutputTokenLimit: number | undefined;
}
