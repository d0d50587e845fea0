import type { JsonValue, TurnId } from '@quire/protocol';
import type { ToolKind } from '../tools/tool.ts';

/** A call as hooks see it. */
export interface HookedCall {
  readonly turnId: TurnId;
  readonly callId: string;
  /** As the model called it. */
  readonly tool: string;
  readonly kind: ToolKind;
  /** Arguments as JSON when they are JSON, else the text. */
  readonly input: JsonValue;
  /** Absolute. */
  readonly cwd: string;
  /** A command that is a patch, which hooks for patches mean as well. */
  readonly carriesPatch?: true;
}

export type HookVerdict =
  | { readonly kind: 'go-on' }
  /** The tool does not run; `reason` is told to the model. */
  | { readonly kind: 'deny'; readonly reason: string };

/** Programs of the user around every tool call. Neither method rejects but with the reason of `signal`. */
export interface ToolHooks {
  before(call: HookedCall, options: { readonly signal: AbortSignal }): Promise<HookVerdict>;
  /** What is told to the model behind the output; absent: nothing. */
  after(
    call: HookedCall & { readonly output: string; readonly succeeded: boolean },
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly feedback: string | undefined }>;
}
