import { existsSync, realpathSync } from 'node:fs';
import type { BackendFinding, ResolvedRequest, SandboxBackend } from './backend.ts';
import { findBubblewrap } from './bubblewrap.ts';
import { findLandlock } from './landlock.ts';
import { Placeholders } from './placeholders.ts';
import { ProtectedPathCache } from './protected-path-cache.ts';
import type {
  BackendReport,
  Sandbox,
  SandboxBackendName,
  SandboxedStart,
  SandboxOptions,
  SandboxReport,
  SandboxRequest,
} from './sandbox.ts';
import { findSeatbelt } from './seatbelt.ts';
import { systemCallsOf } from './system-calls.ts';
import { tryBackend } from './try-backend.ts';

const LINUX: readonly SandboxBackendName[] = ['bubblewrap', 'landlock'];
const MACOS: readonly SandboxBackendName[] = ['seatbelt'];

interface Choice {
  readonly backend: SandboxBackend | undefined;
  readonly tried: readonly BackendReport[];
}

/** Tries the backends of the platform once, the strongest first, and confines with the first that truly works. */
export class PlatformSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  readonly #protectedPaths = new ProtectedPathCache();
  readonly #placeholders = new Placeholders();
  #choice: Promise<Choice> | undefined;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  async wrap(request: SandboxRequest): Promise<SandboxedStart> {
    if (request.confinement.network === 'proxied') {
      return { kind: 'unavailable', reason: 'no sandbox here lets single hosts through; allow the network, or none' };
    }
    this.#choice ??= this.#choose({ all: false });
    const { backend, tried } = await this.#choice;
    if (backend === undefined) return { kind: 'unavailable', reason: unavailable(tried) };
    const { resolved, release } = await this.#resolve(request);
    try {
      const started = backend.start(resolved);
      return {
        kind: 'ready',
        ...started,
        release: () => {
          started.release();
          release();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async probe(): Promise<SandboxReport> {
    const { backend, tried } = await this.#choose({ all: true });
    return { chosen: backend?.name, tried };
  }

  async #resolve(
    request: SandboxRequest,
  ): Promise<{ readonly resolved: ResolvedRequest; readonly release: () => void }> {
    const writableRoots = realRoots(request.confinement.writableRoots);
    const found = await Promise.all(
      writableRoots.map((root) => this.#protectedPaths.read(root, { isWorkedIn: isInside(root, request.cwd) })),
    );
    const taken = this.#placeholders.take(found.flatMap(({ missing }) => missing));
    const protectedPaths = [...new Set([...found.flatMap(({ existing }) => existing), ...taken.paths])];
    // A folder before what is in it, so that the inner mount lies on top.
    protectedPaths.sort((left, right) => left.length - right.length);
    return {
      resolved: {
        ...request,
        writableRoots,
        protectedPaths: protectedPaths.filter((path) => writableRoots.some((root) => isInside(root, path))),
      },
      release: taken.release,
    };
  }

  async #choose({ all }: { readonly all: boolean }): Promise<Choice> {
    const { backend: only } = this.#options;
    const names = process.platform === 'darwin' ? MACOS : process.platform === 'linux' ? LINUX : [];
    const tried: BackendReport[] = [];
    let chosen: SandboxBackend | undefined;
    for (const name of names) {
      if (only !== undefined && only !== name) continue;
      const finding = this.#find(name);
      const fault = finding.kind === 'missing' ? finding.reason : await tryBackend(finding.backend);
      const works = finding.kind === 'found' && fault === undefined;
      const detail = fault ?? (finding.kind === 'found' ? finding.backend.version : '');
      tried.push({ backend: name, works, detail, gaps: works ? finding.backend.gaps : [] });
      if (works) chosen ??= finding.backend;
      if (works && !all) break;
    }
    return { backend: chosen, tried };
  }

  #find(name: SandboxBackendName): BackendFinding {
    const environment = this.#options.environment ?? process.env;
    if (name === 'seatbelt') return findSeatbelt(environment);
    const calls = systemCallsOf(process.arch);
    return name === 'bubblewrap' ? findBubblewrap(environment, calls) : findLandlock(environment, calls);
  }
}

/** Real paths of those that are there, each once. */
function realRoots(roots: readonly string[]): readonly string[] {
  return [...new Set(roots.filter((root) => existsSync(root)).map((root) => realpathSync(root)))];
}

function isInside(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function unavailable(tried: readonly BackendReport[]): string {
  const faults = tried.map(({ backend, detail }) => `${backend}: ${detail}`).join('; ');
  const what = tried.length === 0 ? `there is none for ${process.platform}` : `tried ${faults}`;
  return `no sandbox works on this machine, so a command that has to be confined can not run (${what}); see quire doctor`;
}
