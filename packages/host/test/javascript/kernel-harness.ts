import { tmpdir } from 'node:os';
import type { CellOutcome, JavaScriptKernel } from '@quire/core';
import { createJavaScriptKernel } from '../../src/javascript/create-javascript-kernel.ts';
import type { JavaScriptKernelOptions } from '../../src/javascript/kernel-options.ts';

type RunOptions = Parameters<JavaScriptKernel['run']>[1];

export interface TestKernel extends AsyncDisposable {
  readonly kernel: JavaScriptKernel;
  run(code: string, options?: Partial<RunOptions>): Promise<CellOutcome>;
}

/** A kernel that is closed when the test leaves its block. */
export function openKernel(options: Partial<JavaScriptKernelOptions> = {}): TestKernel {
  const kernel = createJavaScriptKernel({ threadId: 'thread-1', ...options });
  return {
    kernel,
    run: (code, runOptions = {}) =>
      kernel.run(code, {
        callTool: () => Promise.reject(new Error('no tool was expected')),
        cwd: tmpdir(),
        confinement: { kind: 'none' },
        timeoutMs: 20_000,
        signal: new AbortController().signal,
        ...runOptions,
      }),
    [Symbol.asyncDispose]: () => kernel.close(),
  };
}

export function printed(output: string): CellOutcome {
  return { kind: 'done', output, images: [] };
}

export function failed(error: string, output = ''): CellOutcome {
  return { kind: 'failed', output, images: [], error };
}
