import type { JsonValue } from '@quire/protocol';
import type { Confinement } from './command-runner.ts';

export interface CellCallbacks {
  /** A tool called from within. Gives back the raw output item. Never rejects. */
  readonly callTool: (name: string, input: JsonValue) => Promise<JsonValue>;
}

export type CellImage = { readonly url: string; readonly detail: string | undefined };

export type CellOutcome =
  | { readonly kind: 'done'; readonly output: string; readonly images: readonly CellImage[] }
  /** `error` is for the model: what was thrown, or how the kernel ended. What was printed until then is in `output`. */
  | {
      readonly kind: 'failed';
      readonly output: string;
      readonly images: readonly CellImage[];
      readonly error: string;
    };

/** One persistent kernel of a thread, in a process of its own, started with the first cell. */
export interface JavaScriptKernel {
  /** Cells run one at a time. Rejects only with the reason of `signal`, after the kernel is gone. */
  run(
    code: string,
    options: CellCallbacks & {
      readonly cwd: string;
      readonly confinement: Confinement;
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<CellOutcome>;
  /** Ends the kernel; the next cell starts a fresh one. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
