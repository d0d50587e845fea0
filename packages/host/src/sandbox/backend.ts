import type { EgressEndpoint } from './egress.ts';
import type { SandboxBackendName, SandboxedStart, SandboxRequest } from './sandbox.ts';

/** What a request comes to on this machine at this moment. */
export interface ResolvedRequest extends SandboxRequest {
  /** Absolute, real, there. */
  readonly writableRoots: readonly string[];
  /** Below them, stays read-only. Absolute, there. */
  readonly protectedPaths: readonly string[];
  /** Folders on the way from a root to something protected: to be kept from being moved away. Absolute, there. */
  readonly pinnedFolders: readonly string[];
  /** Present with `network: 'proxied'`. */
  readonly egress: EgressEndpoint | undefined;
}

/** Outer ones first, so that the inner mount lies on top. */
export function writableFolders({ writableRoots, pinnedFolders }: ResolvedRequest): readonly string[] {
  return [...writableRoots, ...pinnedFolders].toSorted((left, right) => left.length - right.length);
}

export type BackendStart = Omit<Extract<SandboxedStart, { readonly kind: 'ready' }>, 'kind'>;

/** One way to confine a command. */
export interface SandboxBackend {
  readonly name: SandboxBackendName;
  /** For people. */
  readonly version: string;
  readonly gaps: readonly string[];
  /**
   * How it keeps something from coming into being at a protected path: an empty folder is put there for as long as the
   * command runs, the path is named to the kernel, or it can not.
   */
  readonly holdsMissing: 'placeholder' | 'by-name' | 'not';
  /** Gives back what to start. Throws an Error with a reason for people when this request can not be met. */
  start(request: ResolvedRequest): BackendStart;
}

export type BackendFinding =
  | { readonly kind: 'found'; readonly backend: SandboxBackend }
  | { readonly kind: 'missing'; readonly reason: string };

/** Variables that tell a command how it is confined. Source: the peer's names. */
export function sandboxVariables(request: SandboxRequest): Readonly<Record<string, string>> {
  return request.confinement.network === 'off' ? { CODEX_SANDBOX_NETWORK_DISABLED: '1' } : {};
}
