import type { SandboxBackendName, SandboxedStart, SandboxRequest } from './sandbox.ts';

/** What a request comes to on this machine at this moment. */
export interface ResolvedRequest extends SandboxRequest {
  /** Absolute, real, there. */
  readonly writableRoots: readonly string[];
  /** Below them, stays read-only. Absolute, there. */
  readonly protectedPaths: readonly string[];
}

export type BackendStart = Omit<Extract<SandboxedStart, { readonly kind: 'ready' }>, 'kind'>;

/** One way to confine a command. */
export interface SandboxBackend {
  readonly name: SandboxBackendName;
  /** For people. */
  readonly version: string;
  readonly gaps: readonly string[];
  start(request: ResolvedRequest): BackendStart;
}

export type BackendFinding =
  | { readonly kind: 'found'; readonly backend: SandboxBackend }
  | { readonly kind: 'missing'; readonly reason: string };

/** Variables that tell a command how it is confined. Source: the peer's names. */
export function sandboxVariables(request: SandboxRequest): Readonly<Record<string, string>> {
  return request.confinement.network === 'on' ? {} : { CODEX_SANDBOX_NETWORK_DISABLED: '1' };
}
