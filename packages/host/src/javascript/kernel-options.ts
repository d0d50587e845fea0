import type { KernelSandbox } from './kernel-sandbox.ts';

export interface JavaScriptKernelOptions {
  /** What cells see as `CODEX_THREAD_ID`. */
  readonly threadId: string;
  /** What the kernel inherits. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whose `CODEX_JS_REPL_NODE_PATH` and `PATH` say where Node.js is. Default: `environment`. */
  readonly searchEnvironment?: Readonly<Record<string, string | undefined>>;
  /** The Node.js to use; `CODEX_JS_REPL_NODE_PATH` goes first. Default: the one that runs this process, or of `PATH`. */
  readonly nodePath?: string;
  /** Folders whose `node_modules` are searched for packages before those of the working directory. Absolute. */
  readonly moduleDirectories?: readonly string[];
  /** See `createSandbox`. Absent: only cells without a confinement run. */
  readonly sandbox?: KernelSandbox;
  /** For JavaScript objects; one GiB more for buffers and all else, where the system can limit it. Default 512. */
  readonly heapLimitMebibytes?: number;
}
