import type { ApprovalPolicy, CompactionStrategyName, ModelInfo, Personality, SandboxPolicy } from '@quire/protocol';
import type { EnvironmentFacts } from '../context/environment.ts';
import type { UpdateSection } from '../context/fragments.ts';
import type { PersonalityChoice } from '../model/turn/personality.ts';
import type { Reasoning } from '../model/turn/reasoning.ts';
import type { ServiceTierChoice } from '../model/turn/service-tier.ts';

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

/** What a turn offers, going by its model and what was chosen. */
export interface ToolSettings {
  readonly shell: ShellToolForm;
  /** Names of optional tools that are on, such as `js_repl`, `grep_files`, `view_image`, `request_user_input`. */
  readonly enabled: ReadonlySet<string>;
  /** Pictures may be handed over in their own size. */
  readonly originalImages: boolean;
}

/** What was chosen of the tools, whatever the model. */
export interface ToolChoices {
  /** The feature `shell_tool`. */
  readonly shell: boolean;
  /** The feature `unified_exec`: sessions also for models that do not ask for them. */
  readonly unifiedExec: boolean;
  /** Optional tools beside those of the model. */
  readonly enabled: ReadonlySet<string>;
  /** Not offered, even if the model asks for them. */
  readonly disabled: ReadonlySet<string>;
  /** The feature that lets pictures through in their own size. */
  readonly originalImages: boolean;
}

/** What was chosen, by whomever: for a turn and all after it, in the configuration, in features, in requirements. */
export interface TurnChoices {
  readonly reasoningEffort: {
    readonly turn: string | undefined;
    /** Goes before `configured` in plan mode. */
    readonly planMode: string | undefined;
    readonly configured: string | undefined;
  };
  readonly reasoningSummary: { readonly turn: string | undefined; readonly configured: string | undefined };
  readonly verbosity: string | undefined;
  readonly personality: PersonalityChoice;
  readonly serviceTier: ServiceTierChoice;
  /** By managed requirements. Absent: all. */
  readonly allowedWebSearchModes: readonly WebSearchMode[] | undefined;
  readonly tools: ToolChoices;
}

/** What follows from the model and the choices; made by `resolveTurn`. */
export interface ResolvedTurn {
  readonly reasoningEffort: string | undefined;
  /** `none` leaves it out. */
  readonly reasoningSummary: string;
  /** Of requests. Absent: the model has no reasoning controls. */
  readonly reasoning: Reasoning | undefined;
  readonly verbosity: string | undefined;
  /** Absent: the feature is off, or nothing was chosen. */
  readonly personality: Personality | undefined;
  /** The wire's word. */
  readonly serviceTier: string | undefined;
  readonly webSearchMode: WebSearchMode;
  readonly tools: ToolSettings;
  /** Sentences about choices that have another effect than people may think. */
  readonly notes: readonly string[];
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

/** How commands of the model run, wherever they do. */
export interface CommandSettings {
  /** The model may ask for a login shell, and gets one when it says nothing. */
  readonly allowLoginShell: boolean;
  /** Of a look at a session that types nothing. */
  readonly longestPollMs: number;
}

/** The values a thread works with: resolved from configuration by the composition, never the whole of it. */
export interface ThreadSettings extends ResolvedTurn {
  /** Absolute, normal. */
  readonly cwd: string;
  readonly model: ModelInfo;
  readonly choices: TurnChoices;
  /** Fixed for the life of the thread. */
  readonly baseInstructions: string;
  /** Base instructions were made with this personality in them, so it need not be told. */
  readonly bakedPersonality: Personality | undefined;
  readonly collaborationMode: CollaborationMode | undefined;
  /** The git context in the environment section. */
  readonly gitInContext: boolean;
  /** What the model is not told, whatever the other settings say of it. */
  readonly omittedSections: readonly UpdateSection[];
  readonly compaction: CompactionSettings;
  readonly developerInstructions: string | undefined;
  /** Joined text of the AGENTS.md files, if any. */
  readonly projectInstructions: string | undefined;
  readonly environment: EnvironmentFacts;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandbox: SandboxPolicy;
  /** Temporary folders that `workspace-write` may write to, as the sandbox policy allows. Absolute, real paths. */
  readonly temporaryRoots: readonly string[];
  readonly webSearch: WebSearchSettings;
  readonly commands: CommandSettings;
  readonly network: {
    /** What commands may reach when they may use the network at all. Absent: everything. */
    readonly allowedHosts: readonly string[] | undefined;
  };
  /** Retries of one sampling request. */
  readonly streamMaxRetries: number;
  /** Overrides the amount of the model's truncation policy. */
  readonly toolOutputTokenLimit: number | undefined;
}
