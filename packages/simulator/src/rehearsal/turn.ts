import type { ToolResult } from './tool-result.ts';
import type { Action } from './toolbox.ts';

/** One response of the model: what it says and does. */
export interface Turn {
  readonly say?: string;
  readonly actions: readonly Action[];
}

/** Yields what to do, gets the results in the order of the actions, returns the final message. */
export type Procedure<Value = string> = Generator<Turn, Value, readonly ToolResult[]>;
