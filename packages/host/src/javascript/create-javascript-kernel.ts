import type { JavaScriptKernel } from '@quire/core';
import type { KernelSandbox } from './kernel-sandbox.ts';

export interface JavaScriptKernelOptions {
  /** What cells see as `CODEX_THREAD_ID`. */
  readonly threadId: string;
  /** What the kernel inherits. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The Node.js to use; `CODEX_JS_REPL_NODE_PATH` goes first. Default: the one that runs this process, or of `PATH`. */
  readonly nodePath?: string;
  /** Folders whose `node_modules` are searched for packages before those of the working directory. Absolute. */
  readonly moduleDirectories?: readonly string[];
  /** See `createSandbox`. Absent: only cells without a confinement run. */
  readonly sandbox?: KernelSandbox;
  /** For JavaScript objects; one GiB more for buffers and all else, where the system can limit it. Default 512. */
  readonly heapLimitMebibytes?: number;
}

/** A kernel that loads nothing and starts no process before its first cell. */
export function createJavaScriptKernel(options: JavaScriptKernelOptions): JavaScriptKernel {
  let kernel: Promise<JavaScriptKernel> | undefined;
  let isClosed = false;
  const load = (): Promise<JavaScriptKernel> => {
    kernel ??= import('./javascript-kernel.ts').then(({ NodeKernel }) => new NodeKernel(options));
    return kernel;
  };
  return {
    async run(code, runOptions) {
      if (isClosed) throw new Error('the JavaScript kernel is closed');
      return (await load()).run(code, runOptions);
    },
    reset: async () => (await kernel)?.reset(),
    close: async () => {
      isClosed = true;
      await (await kernel)?.close();
    },
  };
}
