import type { Confinement } from '@quire/core';

/** The part of a sandbox that a kernel needs. */
export interface KernelSandbox {
  wrap(request: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly confinement: Extract<Confinement, { readonly kind: 'sandbox' }>;
    readonly environment: Readonly<Record<string, string>>;
    readonly passedFds: readonly number[];
  }): Promise<WrappedKernel>;
}

export type WrappedKernel =
  | {
      readonly kind: 'ready';
      /** What is to be started instead. */
      readonly path: string;
      readonly args: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      /** To be inherited as descriptors 3, 4, …; open until `release`. */
      readonly extraFds: readonly number[];
      /** Called once: when the process has ended, or could not be started. Does not throw. */
      release(): unknown;
    }
  | { readonly kind: 'unavailable'; readonly reason: string };
