import type { Sandbox, SandboxOptions } from './sandbox.ts';

/** Loads and probes with the first command that is to be confined. */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  let loaded: Promise<Sandbox> | undefined;
  const load = (): Promise<Sandbox> => {
    loaded ??= import('./platform-sandbox.ts').then(({ PlatformSandbox }) => new PlatformSandbox(options));
    return loaded;
  };
  return {
    wrap: async (request) => (await load()).wrap(request),
    probe: async () => (await load()).probe(),
    close: async () => (await loaded)?.close(),
  };
}
