import type { HookDefinition, HookedCall } from '@quire/core';

export interface ToolHooksOptions {
  /** In the order in which their answers are told. */
  readonly hooks: readonly HookDefinition[];
  readonly threadId: string;
  /** What commands inherit, and hooks with them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** One sentence for a person. Must not throw. */
  readonly onNotice: (text: string) => void;
  /** What hooks of the peer are told as well. */
  readonly session?: () => HookSession;
}

export interface HookSession {
  readonly model: string;
  /** Absolute path of the thread's record, if it has one. */
  readonly transcriptPath: string | undefined;
  readonly permissionMode: 'default' | 'plan' | 'bypassPermissions';
}

/** A hook, and whether it means a call. */
export interface MatchingHook {
  readonly definition: HookDefinition;
  readonly means: (call: HookedCall) => boolean;
}
