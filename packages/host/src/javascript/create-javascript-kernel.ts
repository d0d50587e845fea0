import type { JavaScriptKernel } from '@quire/core';
import type { JavaScriptKernelOptions } from './kernel-options.ts';

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
