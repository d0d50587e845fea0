/** When a hook runs. The names are those of the peer's configuration. */
export type HookEvent = 'PreToolUse' | 'PostToolUse';

/** A program of the user that runs around tool calls, as configured. */
export interface HookDefinition {
  readonly event: HookEvent;
  /** How messages call it: where it is configured. */
  readonly name: string;
  /** Which tools, see `compileHookMatcher`. */
  readonly matcher: string;
  /** A line for a shell, or a program with its arguments. */
  readonly command: string | readonly [program: string, ...rest: string[]];
  readonly timeoutMs: number;
  /**
   * What follows when it gives no answer: it can not be started, takes too long or answers nonsense. `closed`: the
   * call does not run, or after the call the model is told that the check failed. `open`: the call goes on.
   */
  readonly fail: 'open' | 'closed';
}
